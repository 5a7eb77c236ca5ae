import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TestOrg } from '../policy/test-channel.ts';
import { fabricBinaries } from '../interop/fabric-binaries.ts';
import { writeMspDir } from '../interop/msp-dir.ts';
import { startOurPeer } from '../interop/our-peer.ts';
import type { OurPeer } from '../interop/our-peer.ts';
import { startStockPeer } from '../interop/stock-peer.ts';
import type { StockPeer } from '../interop/stock-peer.ts';
import { verdictIn } from '../interop/stored-block.ts';
import type { FabricVersion } from '../interop/versions.ts';
import { LogLines } from '../support/log-lines.ts';
import type { FuzzChannel } from './fuzz-network.ts';
import type { Digest, Judge } from './judge.ts';
import { Owner } from './owner.ts';

/** PEM. */
export interface TlsPair {
  readonly certificate: string;
  readonly privateKey: string;
  readonly root: string;
}

const channelsMax = 25;
const attemptsMax = 5;

/** An unmodified Fabric peer: one process that joins one channel after the other. */
export class StockJudge implements Judge {
  readonly name: string;
  readonly #version: FabricVersion;
  readonly #org: TestOrg;
  readonly #tls: TlsPair;
  readonly #dir: string;
  #owner = new Owner();
  #peer: StockPeer | undefined;
  #channels = 0;
  #starts = 0;

  constructor(version: FabricVersion, org: TestOrg, tls: TlsPair, dir: string) {
    this.name = version.name;
    this.#version = version;
    this.#org = org;
    this.#tls = tls;
    this.#dir = dir;
  }

  get alive(): boolean {
    return this.#peer?.pid !== undefined;
  }

  async join(channel: FuzzChannel): Promise<void> {
    this.#channels += 1;
    if (this.#channels > channelsMax || !this.alive) await this.stop();
    if (this.#peer === undefined) this.#peer = await this.#start(channel);
    else await this.#joinAgain(this.#peer, channel.genesisFile);
  }

  /** A machine under load may take longer than the command waits. */
  async #joinAgain(peer: StockPeer, genesisFile: string): Promise<void> {
    for (let attempts = 1; ; attempts += 1) {
      const failed = await peer.cli('channel', 'join', '-b', genesisFile).then(
        () => undefined,
        (error: Error) => error,
      );
      if (failed === undefined || failed.message.includes('already exists')) return;
      if (attempts === attemptsMax || !this.alive) throw failed;
    }
  }

  async *follow(channel: FuzzChannel, signal: AbortSignal): AsyncGenerator<Digest> {
    const range = { start: 1n, end: 2n ** 63n, signal };
    for await (const block of this.#peer!.follow(channel.channelId, range)) yield verdictIn(block);
  }

  async leave(): Promise<void> {}

  async lastWords(): Promise<string> {
    const { pid } = this.#peer!;
    // Go then writes where every goroutine is, and ends.
    if (pid !== undefined) process.kill(pid, 'SIGQUIT');
    for (let polls = 0; this.alive && polls < pollsMax; polls += 1) await sleep(pollMs);
    return tellingPart(this.#peer!.log());
  }

  /** Ends the process; the next channel gets a new one, with an empty ledger. */
  async stop(): Promise<void> {
    await this.#owner[Symbol.asyncDispose]();
    this.#owner = new Owner();
    this.#peer = undefined;
    this.#channels = 0;
    rmSync(this.#dir, { recursive: true, force: true });
  }

  async #start({ channelId, genesisFile }: FuzzChannel): Promise<StockPeer> {
    const { ca, mspid } = this.#org;
    this.#starts += 1;
    const dir = join(this.#dir, `peer-${this.#starts}`);
    const mspDir = async (unit: string) => {
      const { pem, keyPem } = await ca.issue(`${unit} of ${this.name}`, { units: [unit] });
      return writeMspDir(join(dir, unit), {
        caCerts: [ca.pem],
        tlsCaCerts: [this.#tls.root],
        signCert: pem,
        key: keyPem,
      });
    };
    const { certificate: cert, privateKey: key, root } = this.#tls;
    return startStockPeer(this.#owner, {
      binaries: await fabricBinaries(this.#version),
      dir: join(dir, 'peer'),
      channel: channelId,
      genesisBlockFile: genesisFile,
      mspId: mspid,
      mspDir: await mspDir('client'),
      adminMspDir: await mspDir('admin'),
      tls: { cert, key, root },
      env: { FABRIC_LOGGING_SPEC: 'error' },
    });
  }
}

/** Our own peer, anew for each channel. */
export class OurJudge implements Judge {
  readonly name = 'ours';
  readonly alive = true;
  readonly #org: TestOrg;
  readonly #tls: TlsPair;
  readonly #dir: string;
  #owner = new Owner();
  #log = new LogLines('warn');
  #peer: OurPeer | undefined;

  constructor(org: TestOrg, tls: TlsPair, dir: string) {
    this.#org = org;
    this.#tls = tls;
    this.#dir = dir;
  }

  async join(channel: FuzzChannel): Promise<void> {
    const { mspid, client } = this.#org;
    this.#log = new LogLines('warn');
    this.#peer = await startOurPeer(this.#owner, {
      dir: join(this.#dir, channel.channelId),
      genesis: channel.genesis,
      log: this.#log.log,
      source: { port: channel.port, root: this.#tls.root },
      mspId: mspid,
      identity: { cert: client.pem, key: client.keyPem },
    });
  }

  async *follow(_channel: FuzzChannel, signal: AbortSignal): AsyncGenerator<Digest> {
    for (let next = 1n; !signal.aborted;) {
      const height = await this.#peer!.height();
      for (; next < height; next += 1n) yield verdictIn(await this.#peer!.block(next));
      await sleep(pollMs);
    }
  }

  async leave(): Promise<void> {
    await this.#owner[Symbol.asyncDispose]();
    this.#owner = new Owner();
    this.#peer = undefined;
  }

  async lastWords(): Promise<string> {
    return JSON.stringify(this.#log.lines.at(-1) ?? '');
  }
}

const pollMs = 100;
const pollsMax = 100;
const wordsMax = 2_000;

/** A panic, a chain given up, or which functions wait for the validation of a block. */
function tellingPart(log: string): string {
  const panic = log.lastIndexOf('panic: ');
  const aborted = log.split('\n').find((line) => line.includes('Aborting chain processing'));
  const goroutines = log.slice(Math.max(log.lastIndexOf('SIGQUIT'), 0));
  const waiting = goroutines
    .split('\n\n')
    .filter((one) => /statebased|txvalidator/.test(one))
    .map((one) => one.match(/(?<=^[^\s(]+\/)[^\s/(]*(\(\*\w+\))?\.?[\w.]*(?=\()/gm)?.join(' < '));
  const words = panic < 0 ? (aborted ?? waiting.join('\n')) : log.slice(panic);
  return (words || log.slice(-wordsMax)).slice(0, wordsMax);
}
