/** What the kernel was asked for while blocks were signed: that the record of each was on the disk first. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { toHex, utf8 } from '#base';
import { sha256 } from '#crypto';
import { blockSignatureInput, headerHash } from '#formats';
import { readRecord, recordBytes } from '../../hsm/guard-record.ts';
import { jobBytes, jobsHeadBytes } from '../../hsm/token-wire.ts';
import { eventually } from '../support/eventually.ts';
import { signerConfig, startSigner } from '../support/signer-process.ts';
import { temporaryToken } from '../support/softhsm.ts';
import type { TestScope } from '../support/temporary-dir.ts';
import { blockCall, nextBlock } from './samples.ts';

/** For a test's `skip`. */
export const straceIsMissing =
  spawnSync('strace', ['-V']).status === 0 ? false : 'strace is not installed (Debian package)';

/** Runs strace on a process and its threads for as long as something goes on. */
export async function traced(
  pid: number,
  args: readonly string[],
  during: () => Promise<void>,
): Promise<void> {
  const tracer = spawn('strace', ['-f', ...args, '-p', String(pid)], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const said: string[] = [];
  createInterface({ input: tracer.stderr }).on('line', (line) => said.push(line));
  await eventually(() => {
    if (!said.some((line) => line.includes('attached'))) throw new Error(said.join('\n'));
  });
  try {
    await during();
  } finally {
    tracer.kill('SIGINT');
    await once(tracer, 'exit');
  }
}

/** Options with which strace shows what a signer host writes, and brings to the disk, in this file. */
export function intoTrace(file: string): string[] {
  const calls = 'trace=write,pwrite64,writev,sendto,sendmsg,fdatasync';
  return ['-y', '-xx', '-s', '65536', '-e', calls, '-o', file];
}

/** A file in which a content's record has to be before its digest leaves for the token. */
export interface Watched {
  /** Part of its path. */
  readonly path: string;
  /** @returns digests whose records are in what was written; hex. */
  digestsIn(written: Buffer): string[];
}

/** The signature log, which has the digests themselves. */
export const signatureLog: Watched = {
  path: '/signatures/',
  digestsIn: (written) =>
    [...written.toString('latin1').matchAll(/(?<![\w-])[\w-]{43}(?![\w-])/g)].map(([text]) =>
      Buffer.from(text, 'base64url').toString('hex'),
    ),
};

/** @param digestOf of the hash that the guard records, the digest that the token gets; hex. */
function guardFile(digestOf: ReadonlyMap<string, string>): Watched {
  return {
    path: 'blocks.guard',
    digestsIn: (written) => recordsIn(written).flatMap((record) => digestOf.get(record) ?? []),
  };
}

export interface DurableOrder {
  /** Digests that left for the token; hex. */
  readonly left: ReadonlySet<string>;
  /** Those of them of which a record was not on the disk then. */
  readonly early: readonly string[];
}

/** Has a signer host sign so many blocks on each of some channels, one after the other, and reads its calls. */
export async function blocksInOrder(
  t: TestScope,
  { channels, blocksEach }: { channels: number; blocksEach: number },
): Promise<DurableOrder & { readonly signed: number }> {
  const names = Array.from({ length: channels }, (_none, index) => `ch${index}`);
  const token = await temporaryToken(t, { keys: [{ label: 'ordering', role: 'ordering' }] });
  const [key] = signerConfig(token).keys;
  const host = await startSigner(t, token, { keys: [{ ...key!, channels: names }] });
  const identity = (await host.client.describe())[0]!.serializedIdentity;
  const digestOf = new Map<string, string>();
  const sign = async (channel: string) => {
    let block = blockCall(identity, 1n, { channel, variant: channel });
    for (let count = 0; count < blocksEach; count += 1) {
      const content = blockSignatureInput(block.metadataValue, block.signatureHeader, block);
      digestOf.set(toHex(headerHash(block)), toHex(sha256(content)));
      await host.client.signBlock(block);
      block = nextBlock(block, identity, { channel, variant: channel });
    }
  };
  const trace = join(token.dir, 'trace');
  await traced(host.pid, intoTrace(trace), async () => {
    await Promise.all(names.map(sign));
  });
  await host.stop();
  const order = await readTrace(trace, digestOf.values(), [guardFile(digestOf), signatureLog]);
  return { signed: digestOf.size, ...order };
}

/**
 * Goes through the calls in their order; one that was interrupted counts where it ended.
 *
 * @param digests hex; others are nobody's concern.
 */
export async function readTrace(
  trace: string,
  digests: Iterable<string>,
  files: readonly Watched[],
): Promise<DurableOrder> {
  const known = new Set(digests);
  const left = new Set<string>();
  const early: string[] = [];
  const watches = files.map((file) => new Watch(file));
  for await (const line of createInterface({ input: createReadStream(trace, 'latin1') })) {
    const written = stringsIn(line);
    for (const watch of watches) watch.see(line, written);
    for (const digest of written.flatMap(sentDigests)) {
      if (!known.has(digest)) continue;
      left.add(digest);
      if (!watches.every(({ durable }) => durable.has(digest))) early.push(digest);
    }
  }
  return { left, early };
}

/** What of a file was on the disk as far as the trace was read. */
class Watch {
  readonly durable = new Set<string>();
  readonly #file: Watched;
  readonly #shownPath: string;
  #written: string[] = [];
  /** By thread: a sync that began covers what was written before. */
  readonly #syncing = new Map<string, string[]>();

  constructor(file: Watched) {
    this.#file = file;
    this.#shownPath = toHex(utf8(file.path)).replaceAll(/../g, String.raw`\x$&`);
  }

  see(line: string, written: readonly Buffer[]): void {
    const thread = line.slice(0, line.indexOf(' '));
    const isOfFile = line.includes(this.#shownPath);
    if (isOfFile && line.includes('fdatasync(')) {
      this.#syncing.set(thread, this.#written);
      this.#written = [];
    }
    if (/fdatasync.*\) += 0$/.test(line)) {
      for (const digest of this.#syncing.get(thread) ?? []) this.durable.add(digest);
      this.#syncing.delete(thread);
    }
    if (!isOfFile) return;
    this.#written.push(...written.flatMap((bytes) => this.#file.digestsIn(bytes)));
  }
}

/** What a line of strace has between quotation marks. */
function stringsIn(line: string): Buffer[] {
  return [...line.matchAll(/"((?:\\x[0-9a-f]{2})+)"/g)].map(([, shown = '']) =>
    Buffer.from(shown.replaceAll(String.raw`\x`, ''), 'hex'),
  );
}

function recordsIn(bytes: Buffer): string[] {
  const hashes: string[] = [];
  for (let at = 0; at + recordBytes <= bytes.length; at += recordBytes) {
    const reading = readRecord(bytes.subarray(at, at + recordBytes));
    if (typeof reading !== 'string') hashes.push(toHex(reading.record.headerHash));
  }
  return hashes;
}

/** What a message to a session of the token asks to be signed. */
function sentDigests(bytes: Buffer): string[] {
  const count = bytes.length < jobsHeadBytes ? 0 : bytes.readUInt32BE();
  if (count === 0 || bytes.length !== jobsHeadBytes + count * jobBytes) return [];
  return Array.from({ length: count }, (_none, index) => {
    const end = jobsHeadBytes + (index + 1) * jobBytes;
    return toHex(bytes.subarray(end - 32, end));
  });
}
