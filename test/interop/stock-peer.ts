import { execFile } from 'node:child_process';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { ChildProgram } from './child-program.ts';
import type { FabricBinaries } from './fabric-binaries.ts';
import { fetchBlocks, followBlocks } from './fetch-blocks.ts';
import type { FetchOptions } from './fetch-blocks.ts';
import { freeLoopbackPorts } from './loopback-ports.ts';
import { commitHashIn, validationCodesIn } from './stored-block.ts';

const execute = promisify(execFile);
const commandWaitMsMax = 20_000;

export interface StockPeerOptions {
  readonly binaries: FabricBinaries;
  /** An empty or absent directory that becomes the peer's. */
  readonly dir: string;
  readonly channel: string;
  readonly genesisBlockFile: string;
  readonly mspId: string;
  /** The peer's own identity, with which it asks for blocks: OU=client is enough. */
  readonly mspDir: string;
  /** An OU=admin identity of the same organisation: it joins the channel and asks the peer. */
  readonly adminMspDir: string;
  /** PEM; the certificate is for 127.0.0.1 and chains to the root. */
  readonly tls: { readonly cert: string; readonly key: string; readonly root: string };
  /** Free ports of loopback when absent. */
  readonly place?: PeerPlace;
  /** More of core.yaml's keys, for example CORE_PEER_VALIDATORPOOLSIZE. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Where a peer and its command line run. */
export interface PeerPlace {
  /** Its own address to others; it listens on every address of its network namespace. */
  readonly host: string;
  readonly port: number;
  readonly chaincodePort: number;
  readonly operationsPort: number;
  /** A command that runs the command behind it elsewhere, as `ip netns exec NAME` does. */
  readonly prefix: readonly string[];
}

/**
 * Starts an unmodified Fabric peer, on loopback ports unless told otherwise, and joins it to the channel.
 *
 * @param t owns the peer: its teardown stops it.
 * @throws Error with the end of the peer's log when it does not come up in time.
 */
export async function startStockPeer(
  t: { teardown(end: () => unknown): unknown },
  options: StockPeerOptions,
): Promise<StockPeer> {
  const place = options.place ?? (await loopbackPlace());
  const { dir } = options;
  await mkdir(dir, { recursive: true });
  await cp(options.binaries.sampleconfig, join(dir, 'config'), { recursive: true });
  await withoutDocker(join(dir, 'config', 'core.yaml'));
  for (const [name, pem] of Object.entries(options.tls)) {
    await writeFile(join(dir, `tls-${name}.pem`), pem, { mode: 0o600 });
  }
  const peer = new StockPeer(options, place);
  t.teardown(() => peer.stop());
  await peer.start();
  await peer.cli('channel', 'join', '-b', options.genesisBlockFile);
  await peer.waitForHeight(1n);
  return peer;
}

/** A command line that runs in a place. */
export function inPlace(
  prefix: readonly string[],
  ...command: [string, ...string[]]
): [string, ...string[]] {
  const [first, ...rest] = prefix;
  return first === undefined ? command : [first, ...rest, ...command];
}

export async function loopbackPlace(): Promise<PeerPlace> {
  const [port = 0, chaincodePort = 0, operationsPort = 0] = await freeLoopbackPorts(3);
  return { host: '127.0.0.1', port, chaincodePort, operationsPort, prefix: [] };
}

/** An empty environment variable does not override a key of core.yaml, so the file itself is edited. */
async function withoutDocker(coreYaml: string): Promise<void> {
  const text = await readFile(coreYaml, 'utf8');
  const edited = text.replace(/^( *endpoint:) unix:.*docker\.sock$/m, '$1 ""');
  await rm(coreYaml);
  await writeFile(coreYaml, edited);
}

/** A running stock peer, seen through its own command line only. */
export class StockPeer {
  readonly name: string;
  readonly address: string;
  readonly #options: StockPeerOptions;
  readonly #program: ChildProgram;
  readonly #cliEnv: NodeJS.ProcessEnv;
  readonly #prefix: readonly string[];
  #fetchCount = 0;

  constructor(options: StockPeerOptions, place: PeerPlace) {
    const { binaries, dir, mspId } = options;
    this.#options = options;
    this.name = binaries.name;
    this.address = `${place.host}:${place.port}`;
    this.#prefix = place.prefix;
    const common = {
      PATH: process.env['PATH'],
      FABRIC_CFG_PATH: join(dir, 'config'),
      CORE_PEER_LOCALMSPID: mspId,
      CORE_PEER_ADDRESS: this.address,
      CORE_PEER_TLS_ENABLED: 'true',
      CORE_PEER_TLS_ROOTCERT_FILE: join(dir, 'tls-root.pem'),
    };
    this.#cliEnv = {
      ...common,
      CORE_PEER_MSPCONFIGPATH: options.adminMspDir,
      FABRIC_LOGGING_SPEC: 'error',
    };
    const [command, ...args] = inPlace(place.prefix, binaries.peer, 'node', 'start');
    this.#program = new ChildProgram({
      command,
      args,
      env: { ...common, ...nodeEnv(options, this.address, place), ...options.env },
      logFile: join(dir, 'peer.log'),
    });
  }

  /** Starts the process and waits until it answers. */
  async start(waitMsMax = 60_000): Promise<void> {
    this.#program.start();
    await this.#until('the peer answers', waitMsMax, async () => {
      if (!this.#program.running) throw new Error(`the peer ended:\n${this.#logEnd()}`);
      await this.cli('channel', 'list');
      return true;
    });
  }

  stop(): Promise<void> {
    return this.#program.stop();
  }

  kill(): Promise<void> {
    return this.#program.kill();
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  get pid(): number | undefined {
    return this.#program.pid;
  }

  log(): string {
    return this.#program.log();
  }

  /** How many blocks the peer has committed. */
  async height(): Promise<bigint> {
    const printed = await this.cli('channel', 'getinfo', '-c', this.#options.channel);
    const height = /Blockchain info: \{.*"height":(\d+)/.exec(printed)?.[1];
    if (height === undefined) throw new Error(`no height in: ${printed}`);
    return BigInt(height);
  }

  /** @returns the height, at least `height`. */
  async waitForHeight(height: bigint, waitMsMax = 60_000): Promise<bigint> {
    let seen = 0n;
    await this.#until(`height ${height}`, waitMsMax, async () => {
      seen = await this.height();
      return seen >= height;
    });
    return seen;
  }

  /** A committed common.Block with the metadata that this peer added. */
  async block(number: bigint): Promise<Uint8Array> {
    this.#fetchCount += 1;
    const file = join(this.#options.dir, `fetched-${number}-${this.#fetchCount}.block`);
    await this.cli('channel', 'fetch', String(number), file, '-c', this.#options.channel);
    const bytes = await readFile(file);
    await rm(file);
    return new Uint8Array(bytes);
  }

  /** All committed blocks below the height; its TLS certificate must name localhost. */
  blocks(height: bigint): Promise<Uint8Array[]> {
    return fetchBlocks(this.#fetchOptions(this.#options.channel), 0n, height);
  }

  /** Blocks of any channel it joined, as it commits them; see `followBlocks`. */
  follow(
    channel: string,
    range: { start: bigint; end: bigint; signal: AbortSignal },
  ): AsyncGenerator<Uint8Array> {
    return followBlocks(this.#fetchOptions(channel), range);
  }

  /** Fabric's TxValidationCode of each transaction of a block. */
  async validationCodes(number: bigint): Promise<number[]> {
    return validationCodesIn(await this.block(number));
  }

  /** @returns 32 bytes; none for block 0. */
  async commitHash(number: bigint): Promise<Uint8Array | undefined> {
    return commitHashIn(await this.block(number));
  }

  /** Runs `peer ARGUMENT…` as the organisation's administrator; returns both outputs. */
  async cli(...args: string[]): Promise<string> {
    const options = { env: this.#cliEnv, timeout: commandWaitMsMax, maxBuffer: 16 * 1024 * 1024 };
    const [command, ...all] = inPlace(this.#prefix, this.#options.binaries.peer, ...args);
    const { stdout, stderr } = await execute(command, all, options);
    return stdout + stderr;
  }

  #fetchOptions(channel: string): FetchOptions {
    const { adminMspDir, mspId, tls } = this.#options;
    const port = Number(this.address.split(':')[1]);
    return { port, root: tls.root, mspId, mspDir: adminMspDir, channel };
  }

  async #until(what: string, waitMsMax: number, holds: () => Promise<boolean>): Promise<void> {
    const deadlineMs = performance.now() + waitMsMax;
    for (;;) {
      const failed = await holds().then(
        (done) => (done ? undefined : new Error('not yet')),
        (error: unknown) => error,
      );
      if (failed === undefined) return;
      if (!this.#program.running || performance.now() > deadlineMs) {
        throw new Error(`${this.name}: waited for ${what}:\n${this.#logEnd()}`, { cause: failed });
      }
      await sleep(200);
    }
  }

  #logEnd(): string {
    return this.log().split('\n').slice(-30).join('\n');
  }
}

function nodeEnv(
  { dir, mspDir }: StockPeerOptions,
  address: string,
  { host, port, chaincodePort, operationsPort }: PeerPlace,
): Record<string, string> {
  const loopback = host === '127.0.0.1';
  return {
    CORE_PEER_ID: `stock-${address}`,
    CORE_PEER_MSPCONFIGPATH: mspDir,
    CORE_PEER_LISTENADDRESS: loopback ? address : `0.0.0.0:${port}`,
    CORE_PEER_CHAINCODELISTENADDRESS: `127.0.0.1:${chaincodePort}`,
    CORE_PEER_CHAINCODEADDRESS: `127.0.0.1:${chaincodePort}`,
    CORE_PEER_GOSSIP_BOOTSTRAP: address,
    CORE_PEER_GOSSIP_ENDPOINT: address,
    CORE_PEER_GOSSIP_EXTERNALENDPOINT: address,
    CORE_PEER_GOSSIP_USELEADERELECTION: 'false',
    CORE_PEER_GOSSIP_ORGLEADER: 'true',
    CORE_PEER_FILESYSTEMPATH: join(dir, 'production'),
    CORE_LEDGER_SNAPSHOTS_ROOTDIR: join(dir, 'snapshots'),
    CORE_OPERATIONS_LISTENADDRESS: `127.0.0.1:${operationsPort}`,
    CORE_PEER_TLS_CERT_FILE: join(dir, 'tls-cert.pem'),
    CORE_PEER_TLS_KEY_FILE: join(dir, 'tls-key.pem'),
    // The default of an hour would outlast any test that stops the manager.
    CORE_PEER_DELIVERYCLIENT_RECONNECTBACKOFFTHRESHOLD: '5s',
    CORE_VM_ENDPOINT: '',
  };
}
