import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { utf8 } from '#base';
import { identityNames, keyLabels } from '#cli';
import { parsePem } from '#crypto';
import { Block, ConfigGroup, deliverStatuses, isConfigBlock } from '#formats';
import type { Config } from '#formats';
import { makeTlsPair } from '../manager/channel.ts';
import { TestCa, TestIdentity } from '../policy/test-ca.ts';
import { editMsp, signaturePolicy } from '../policy/test-channel.ts';
import type { UpdateSigner } from '../support/config-update.ts';
import { broadcast, channelUpdate, configIn, identitySigner } from '../support/network-update.ts';
import { TestNetwork } from '../support/test-network.ts';
import type { TestClient } from '../support/test-network.ts';
import { fabricBinaries } from './fabric-binaries.ts';
import { writeMspDir } from './msp-dir.ts';
import type { OurPeer } from './our-peer.ts';
import { until } from './poll.ts';
import { joinStockPeer, ourPeers } from './product-network.ts';
import { startStockPeer } from './stock-peer.ts';
import type { StockPeer } from './stock-peer.ts';
import { fabricVersions } from './versions.ts';

const waitMsMax = 120_000;
const twoOfThree = "OutOf(2, 'Org1MSP.peer', 'Org2MSP.peer', 'Org3MSP.peer')";

interface Owner {
  teardown(end: () => unknown): unknown;
}

export type Signers = readonly [UpdateSigner, ...UpdateSigner[]];

/** A zone with our peers and a stock peer of every version, whose configuration changes. */
export class UpdatingNetwork {
  readonly zone: TestNetwork;
  readonly peers: (OurPeer | StockPeer)[];
  readonly #owner: Owner;
  readonly #dir: string;
  readonly #client: TestClient;
  #deposits = 0;

  private constructor(parts: {
    owner: Owner;
    dir: string;
    zone: TestNetwork;
    peers: (OurPeer | StockPeer)[];
    client: TestClient;
  }) {
    this.#owner = parts.owner;
    this.#dir = parts.dir;
    this.zone = parts.zone;
    this.peers = parts.peers;
    this.#client = parts.client;
  }

  static async start(owner: Owner, dir: string): Promise<UpdatingNetwork> {
    const zone = await TestNetwork.start({ requestsPerBundleMax: 1 });
    owner.teardown(() => zone[Symbol.asyncDispose]());
    const peers: (OurPeer | StockPeer)[] = ourPeers(zone);
    for (const version of fabricVersions()) {
      peers.push(await joinStockPeer(owner, zone, version, join(dir, version.name)));
    }
    const { status, body } = await zone.deploy('notary', { policy: twoOfThree });
    if (status !== 200) throw new Error(JSON.stringify(body));
    const client = await zone.client('clerk');
    return new UpdatingNetwork({ owner, dir, zone, peers, client });
  }

  admin(org: string, mspid: string): UpdateSigner {
    return identitySigner(this.zone, mspid, identityNames.admin(org));
  }

  /** Posts so many requests at once. @returns the states they came to. */
  async deposit(count: number): Promise<Set<number>> {
    const requests = Array.from({ length: count }, () => {
      this.#deposits += 1;
      const digest = createHash('sha256').update(`${this.#deposits}`).digest('hex');
      return this.#client.sign('notary', ['deposit', digest, 'deed', 'text/plain']);
    });
    const answers = await this.zone.service.postMany(requests);
    return new Set(answers.map((one) => (one as { status: number }).status));
  }

  async height(): Promise<bigint> {
    const { body } = await this.zone.service.get('/v1/health');
    return BigInt((body as { height: number }).height);
  }

  /** Waits until all peers have all blocks. @returns how many these are. */
  async settled(): Promise<bigint> {
    const height = await this.height();
    for (const peer of this.peers) {
      const reached = async () => (await peer.height()) >= height;
      await until(`${peer.name} at ${height}`, waitMsMax, reached);
    }
    return height;
  }

  async config(): Promise<Config> {
    const [ours] = this.peers;
    for (let number = (await this.settled()) - 1n; ; number -= 1n) {
      const block = Block.decode(await ours!.block(number));
      if (isConfigBlock(block)) return configIn(block);
    }
  }

  async envelope(edit: (channel: ConfigGroup) => void, signers: Signers): Promise<Uint8Array> {
    return channelUpdate(this.zone.channel, await this.config(), edit, signers);
  }

  /** Changes the configuration, and waits until all peers have done so. */
  async update(edit: (channel: ConfigGroup) => void, signers: Signers): Promise<void> {
    const { status, info } = await broadcast(this.zone, await this.envelope(edit, signers));
    if (status !== deliverStatuses.success) throw new Error(`${status} ${info}`);
    await this.settled();
  }

  /** A list by the organisation's own authority that revokes the certificate of its node. */
  async nodeRevocation(org: string): Promise<Uint8Array> {
    const { layout } = this.zone.network;
    const read = (file: string) => readFileSync(join(layout.ca(org), file), 'utf8');
    const key = createPrivateKey(read('ca.key.pem'));
    const node = parsePem(readFileSync(layout.keyCertificate(keyLabels.node(org)), 'utf8'));
    return new TestCa(parsePem(read('ca.pem')), key).crl(new TestIdentity(node, key));
  }

  /** Gives the zone's keys, which stay, certificates of another authority, and restarts them. */
  async recertifyZone(ca: TestCa): Promise<void> {
    const { layout, spec } = this.zone.network;
    const { name } = spec.zone;
    writeFileSync(layout.caCertificate(name), ca.pem);
    for (const [label, unit] of [
      [keyLabels.ordering(name), 'orderer'],
      [keyLabels.relay(name), 'client'],
      [keyLabels.attestation(name), 'client'],
    ] as const) {
      const file = layout.keyCertificate(label);
      const { spki } = parsePem(readFileSync(file, 'utf8')).publicKey;
      const publicKey = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
      const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const issued = await ca.issue(label, { units: [unit], keyPair: { publicKey, privateKey } });
      writeFileSync(file, issued.pem);
    }
    await this.zone.restart(`signer-${name}`, 'manager');
  }

  /**
   * Lets a fourth organisation in, with a stock peer of every version.
   *
   * @param signers may change the application's group.
   */
  async addOrganization(mspid: string, signers: Signers): Promise<void> {
    const ca = await TestCa.root(`ca.${mspid}`);
    const tls = await makeTlsPair();
    await this.update((channel) => {
      const { groups } = channel.groups.get('Application')!;
      groups.set(mspid, newcomer(groups.get('Org1MSP')!, mspid, { ca, tlsRoot: tls.root }));
    }, signers);
    for (const version of fabricVersions()) {
      const dir = join(this.#dir, `${mspid}-${version.name}`);
      const mspDir = async (unit: string) => {
        const { pem, keyPem } = await ca.issue(`${unit} ${version.name}`, { units: [unit] });
        const content = { caCerts: [ca.pem], tlsCaCerts: [tls.root], signCert: pem, key: keyPem };
        return writeMspDir(join(dir, unit), content);
      };
      const peer = await startStockPeer(this.#owner, {
        binaries: await fabricBinaries(version),
        dir: join(dir, 'peer'),
        channel: this.zone.channel,
        genesisBlockFile: this.zone.network.layout.genesisFile,
        mspId: mspid,
        mspDir: await mspDir('client'),
        adminMspDir: await mspDir('admin'),
        tls: { cert: tls.certificate, key: tls.privateKey, root: tls.root },
      });
      this.peers.push(peer);
    }
  }
}

/** The group of an organisation after the pattern of another's. */
function newcomer(
  pattern: ConfigGroup,
  mspid: string,
  { ca, tlsRoot }: { ca: TestCa; tlsRoot: string },
): ConfigGroup {
  const group = ConfigGroup.decode(ConfigGroup.encode(pattern));
  const any = (...roles: string[]) =>
    signaturePolicy(`OR(${roles.map((role) => `'${mspid}.${role}'`).join(', ')})`);
  const policies = {
    Admins: any('admin'),
    Endorsement: any('peer'),
    Readers: any('admin', 'peer', 'client'),
    Writers: any('admin', 'client'),
  };
  for (const [name, policy] of Object.entries(policies)) group.policies.get(name)!.policy = policy;
  editMsp(group, (msp) => {
    msp.name = mspid;
    msp.rootCerts = [utf8(ca.pem)];
    msp.tlsRootCerts = [utf8(tlsRoot)];
    msp.revocationList = [];
  });
  return group;
}
