import { join } from 'node:path';
import { ChildProgram } from '../child-program.ts';
import type { ClientProfile } from '../client-profile.ts';
import type { FabricBinaries } from '../fabric-binaries.ts';
import { goProgram } from '../go-program.ts';
import { until } from '../poll.ts';
import { stockMaterial } from '../stock-material.ts';
import type { StockMaterial } from '../stock-material.ts';
import { inPlace, loopbackPlace, startStockPeer } from '../stock-peer.ts';
import type { PeerPlace, StockPeer } from '../stock-peer.ts';
import { chaincodeBuilder, chaincodePackage } from './chaincode-package.ts';
import { startStockOrderer } from './stock-orderer.ts';

export interface StockFabricOptions {
  readonly binaries: FabricBinaries;
  /** An empty or absent directory that becomes the network's. */
  readonly dir: string;
  /** One peer each. */
  readonly organisationCount: number;
  /** How long the orderer waits for more transactions before it cuts a block. */
  readonly blockWaitMs: number;
  /** Where `orderer`, `org1`, `org2`… run: free ports of loopback when absent. */
  readonly place?: (node: string) => PeerPlace;
}

export const channel = 'main';
export const contract = 'values';
const leaderWaitMsMax = 60_000;

/**
 * A whole stock Fabric network on this machine: one etcdraft orderer, organisations with one peer
 * each, TLS everywhere, and chaincode in Go, running as a service, that every organisation endorses.
 */
export class StockFabric implements AsyncDisposable {
  readonly peers: StockPeer[] = [];
  readonly #options: StockFabricOptions;
  readonly #programs = new Map<string, ChildProgram>();
  readonly #ends: (() => unknown)[] = [];
  #material!: StockMaterial;
  #ordererPlace!: PeerPlace;

  private constructor(options: StockFabricOptions) {
    this.#options = options;
  }

  static async start(options: StockFabricOptions): Promise<StockFabric> {
    const network = new StockFabric(options);
    try {
      await network.#start();
      return network;
    } catch (error) {
      await network[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Every process that serves transactions. */
  processes(): { name: string; pid: number | undefined }[] {
    return [
      ...[...this.#programs].map(([name, program]) => ({ name, pid: program.pid })),
      ...this.peers.map((peer, index) => ({ name: `peer-org${index + 1}`, pid: peer.pid })),
    ];
  }

  /** How an organisation's user reaches the gateway of its peer. */
  profile(orgIndex = 0): ClientProfile {
    const peer = this.peers[orgIndex];
    const name = `Org${orgIndex + 1}`;
    if (peer === undefined) throw new Error(`no organisation ${orgIndex}`);
    return {
      endpoint: peer.address,
      tlsRootFile: join(this.#options.dir, `org${orgIndex + 1}`, 'tls-root.pem'),
      channel,
      contract,
      mspid: `${name}MSP`,
      ...this.#material.user(name),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const end of this.#ends.splice(0).toReversed()) await end();
    for (const program of this.#programs.values()) await program.stop();
  }

  async #start(): Promise<void> {
    const { binaries, dir, organisationCount, blockWaitMs, place } = this.#options;
    const placeOf = async (node: string) => place?.(node) ?? (await loopbackPlace());
    const orgs = Array.from({ length: organisationCount }, (_none, index) => `org${index + 1}`);
    this.#ordererPlace = await placeOf('orderer');
    const places: PeerPlace[] = [];
    for (const org of orgs) places.push(await placeOf(org));
    this.#material = await stockMaterial(binaries, join(dir, 'material'), {
      channel,
      orderer: this.#ordererPlace,
      organisations: places.map((peer, index) => ({
        name: `Org${index + 1}`,
        peer,
        anchor: true,
      })),
      blockWaitMs,
    });
    this.#programs.set('orderer', await this.#startOrderer());
    const builder = await chaincodeBuilder(join(dir, 'builder'));
    for (const [index, peerPlace] of places.entries()) {
      this.peers.push(await this.#startPeer(`Org${index + 1}`, peerPlace, builder));
    }
    await this.#deployChaincode(places);
  }

  #startOrderer(): Promise<ChildProgram> {
    const { binaries, dir } = this.#options;
    const { chaincodePort, ...place } = this.#ordererPlace;
    return startStockOrderer({
      ...place,
      adminPort: chaincodePort,
      binaries,
      dir: join(dir, 'orderer'),
      channel,
      material: this.#material,
    });
  }

  async #startPeer(orgName: string, place: PeerPlace, builder: string): Promise<StockPeer> {
    const { binaries, dir } = this.#options;
    const owner = { teardown: (end: () => unknown) => this.#ends.push(end) };
    return startStockPeer(owner, {
      ...(await this.#material.peer(orgName, 'peer')),
      binaries,
      dir: join(dir, orgName.toLowerCase()),
      channel,
      genesisBlockFile: this.#material.genesisBlockFile,
      place,
      env: {
        FABRIC_LOGGING_SPEC: 'warn',
        CORE_CHAINCODE_EXTERNALBUILDERS: `[{name: ccaas, path: ${builder}}]`,
        CORE_PEER_LIMITS_CONCURRENCY_ENDORSERSERVICE: '20000',
        CORE_PEER_LIMITS_CONCURRENCY_DELIVERSERVICE: '20000',
        CORE_PEER_LIMITS_CONCURRENCY_GATEWAYSERVICE: '20000',
      },
    });
  }

  async #deployChaincode(places: readonly PeerPlace[]): Promise<void> {
    const { dir } = this.#options;
    const program = await goProgram(join(import.meta.dirname, 'chaincode'));
    const orderer = this.#ordererFlags();
    const definition = ['-C', channel, '-n', contract, '-v', '1', '--sequence', '1'];
    const principals = places.map((_place, index) => `'Org${index + 1}MSP.peer'`);
    definition.push('--signature-policy', `AND(${principals.join(', ')})`);
    const approve = ['lifecycle', 'chaincode', 'approveformyorg', ...definition, ...orderer];
    for (const [index, peer] of this.peers.entries()) {
      const { prefix = [] } = places[index] ?? {};
      const name = `chaincode-org${index + 1}`;
      const address = `127.0.0.1:${(await loopbackPlace()).port}`;
      const { file, id } = await chaincodePackage(join(dir, name), contract, address);
      await peer.cli('lifecycle', 'chaincode', 'install', file);
      this.#startChaincode(name, inPlace(prefix, program), { id, address });
      await onceLed(() => peer.cli(...approve, '--package-id', id));
    }
    const commit = ['lifecycle', 'chaincode', 'commit', ...definition, ...orderer];
    for (const [index, { address }] of this.peers.entries()) {
      const rootFile = join(dir, `org${index + 1}`, 'tls-root.pem');
      commit.push('--peerAddresses', address, '--tlsRootCertFiles', rootFile);
    }
    await this.peers[0]?.cli(...commit);
  }

  #ordererFlags(): string[] {
    const { host, port } = this.#ordererPlace;
    const caFile = join(this.#material.ordererDir, 'tls', 'ca.crt');
    return ['-o', `${host}:${port}`, '--tls', '--cafile', caFile];
  }

  #startChaincode(
    name: string,
    [command, ...args]: [string, ...string[]],
    { id, address }: { id: string; address: string },
  ): void {
    const env = { CHAINCODE_ID: id, CHAINCODE_SERVER_ADDRESS: address };
    const logFile = join(this.#options.dir, name, 'log');
    const chaincode = new ChildProgram({ command, args, env, logFile });
    chaincode.start();
    this.#programs.set(name, chaincode);
  }
}

/** The only ordering node is its own leader, but not at once. */
function onceLed(order: () => Promise<unknown>): Promise<void> {
  return until('the orderer to have a leader', leaderWaitMsMax, () =>
    order().then(
      () => true,
      (error: Error) => {
        if (error.message.includes('no Raft leader')) return false;
        throw error;
      },
    ),
  );
}
