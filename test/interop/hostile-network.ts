import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { equalBytes } from '#base';
import { Block, Envelope, Payload, SignatureHeader } from '#formats';
import { makeTlsPair } from '../manager/channel.ts';
import type { TestOrg } from '../policy/test-channel.ts';
import { orgs, spec, zone } from '../policy/test-validation.ts';
import { DeliverServer } from '../support/deliver-server.ts';
import { fabricBinaries } from './fabric-binaries.ts';
import { HostileChain } from './hostile-chain.ts';
import { freeLoopbackPorts } from './loopback-ports.ts';
import { writeMspDir } from './msp-dir.ts';
import { startOurPeer } from './our-peer.ts';
import type { OurPeer } from './our-peer.ts';
import { startStockPeer } from './stock-peer.ts';
import type { StockPeer } from './stock-peer.ts';
import type { FabricVersion } from './versions.ts';

interface Owner {
  teardown(end: () => unknown): unknown;
}

/** A peer of either kind. */
export interface Judge<Peer extends StockPeer | OurPeer = StockPeer | OurPeer> {
  readonly peer: Peer;
  /** The msp.SerializedIdentity that it asks for blocks with. */
  readonly asker: Uint8Array;
  /**
   * Whether it holds a block to the one before and to five metadata entries when it receives it.
   * Stock peers do so since 3.0.
   */
  readonly checksChain: boolean;
}

type TlsPair = Awaited<ReturnType<typeof makeTlsPair>>;

/** The channel of the policy tests with a source of blocks that serves whatever it is given. */
export class HostileNetwork {
  readonly chain: HostileChain;
  readonly #owner: Owner;
  readonly #dir: string;
  readonly #tls: TlsPair;
  readonly #server: DeliverServer;
  readonly #served: Block[];

  private constructor(owner: Owner, dir: string, port: number, tls: TlsPair) {
    this.#owner = owner;
    this.#dir = dir;
    this.#tls = tls;
    const tlsRootCertificates = [tls.root];
    this.chain = new HostileChain({
      zone,
      orgs,
      spec: {
        ...spec,
        zone: { ...spec.zone, tlsRootCertificates, endpoints: [`127.0.0.1:${port}`] },
        organizations: spec.organizations.map((one) => ({ ...one, tlsRootCertificates })),
      },
    });
    writeFileSync(join(dir, 'genesis.block'), Block.encode(this.chain.genesis));
    this.#served = [this.chain.genesis];
    this.#server = new DeliverServer({ tls, blocks: this.#served });
    // The genesis block names it.
    this.#server.port = port;
  }

  /** @param owner its teardown stops the source and every peer. @param dir becomes the network's. */
  static async start(owner: Owner, dir: string): Promise<HostileNetwork> {
    const [port = 0] = await freeLoopbackPorts(1);
    const network = new HostileNetwork(owner, dir, port, await makeTlsPair());
    await network.#server.start();
    owner.teardown(() => network.#server[Symbol.asyncDispose]());
    return network;
  }

  /** PEM; every server certificate of the network chains to it. */
  get tlsRoot(): string {
    return this.#tls.root;
  }

  /** Sends the block as the one of the number from now on. */
  serve(number: bigint, block: Block): void {
    this.#served[Number(number)] = block;
    this.#server.announce();
  }

  /** How often the peer has asked for blocks that begin with this number. */
  timesAsked({ asker }: Judge, number: bigint): number {
    const askerOf = (envelope: Uint8Array) => {
      const { header } = Payload.decode(Envelope.decode(envelope).payload);
      return SignatureHeader.decode(header!.signatureHeader).creator;
    };
    return this.#server.seeks.filter(
      ({ start, envelope }) => start === number && equalBytes(askerOf(envelope), asker),
    ).length;
  }

  /** Starts a countersign peer of the second organisation. */
  async ours(): Promise<Judge<OurPeer>> {
    const { mspid, client } = orgs[1] as TestOrg;
    const peer = await startOurPeer(this.#owner, {
      dir: join(this.#dir, 'ours'),
      genesis: this.chain.genesis,
      source: { port: this.#server.port, root: this.#tls.root },
      mspId: mspid,
      identity: { cert: client.pem, key: client.keyPem },
    });
    return { peer, asker: client.serialized(mspid), checksChain: true };
  }

  /** Starts a stock peer of the first organisation, under an identity of its own. */
  async stock(version: FabricVersion): Promise<Judge<StockPeer>> {
    const { mspid, ca } = orgs[0] as TestOrg;
    const dir = join(this.#dir, version.name);
    const identity = await ca.issue(version.name, { units: ['client'] });
    const admin = await ca.issue(`admin of ${version.name}`, { units: ['admin'] });
    const mspDir = ({ pem, keyPem }: typeof identity, name: string) =>
      writeMspDir(join(dir, name), {
        caCerts: [ca.pem],
        tlsCaCerts: [this.#tls.root],
        signCert: pem,
        key: keyPem,
      });
    const binaries = await fabricBinaries(version);
    // A setting of the deliver client that came with those checks.
    const coreYaml = readFileSync(join(binaries.sampleconfig, 'core.yaml'), 'utf8');
    const checksChain = coreYaml.includes('blockCensorshipTimeoutKey');
    const peer = await startStockPeer(this.#owner, {
      binaries,
      dir: join(dir, 'peer'),
      channel: spec.channelId,
      genesisBlockFile: join(this.#dir, 'genesis.block'),
      mspId: mspid,
      mspDir: await mspDir(identity, 'msp'),
      adminMspDir: await mspDir(admin, 'admin'),
      tls: { cert: this.#tls.certificate, key: this.#tls.privateKey, root: this.#tls.root },
    });
    return { peer, asker: identity.serialized(mspid), checksChain };
  }
}
