import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { Test } from 'tap';
import { toHex } from '#base';
import { headerHash } from '#formats';
import { fingerprint, openTestLedger } from './support.ts';
import { temporaryDir } from '../support/temporary-dir.ts';

const program = join(import.meta.dirname, 'writer-process.ts');

interface Moment {
  /** How many blocks are answered before. */
  blocks: number;
  afterMs: number;
  /** How far the tables may lag then. */
  lagBlocks: number;
}

/** Starts a writer, kills it at some moment, and says what it had answered by then. */
async function writeAndKill(
  dir: string,
  { blocks, afterMs, lagBlocks }: Moment,
): Promise<[bigint, string][]> {
  const child = spawn(process.execPath, [program, dir, `${lagBlocks}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  let doomed = false;
  child.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString();
    if (doomed || said.split('\n').length < blocks + 2) return;
    doomed = true;
    setTimeout(() => child.kill('SIGKILL'), afterMs);
  });
  const [, signal] = (await once(child, 'close')) as [number | null, string | null];
  if (signal !== 'SIGKILL') throw new Error('the writer ended by itself');
  // The first line says that it is open, the last may be half of one.
  const lines = said.split('\n').slice(1, -1);
  return lines.map((line) => {
    const [number, hash] = line.split(' ') as [string, string];
    return [BigInt(number), hash];
  });
}

/** Fixed seed: the moments differ, the series does not. */
function* moments(): Generator<Moment> {
  let seed = 20_260_617;
  for (;;) {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    const lagBlocks = [1, 2, 3, 1_000][(seed >>> 20) % 4]!;
    yield { blocks: (seed >>> 8) % 6, afterMs: (seed >>> 12) % 10, lagBlocks };
  }
}

const killsPerSeries = 10;

async function killSeries(t: Test, when: Generator<Moment>): Promise<void> {
  const dir = temporaryDir(t);
  const copy = join(temporaryDir(t), 'copy');
  const hashes = new Map<bigint, string>();
  for (let kill = 1; kill <= killsPerSeries; kill += 1) {
    const answered = await writeAndKill(dir, when.next().value as Moment);
    for (const [number, hash] of answered) hashes.set(number, hash);
    const newest = BigInt(Math.max(0, ...[...hashes.keys()].map(Number)));

    // Every other time the tables stay as far behind as the kill left them.
    const again = kill % 2 === 0 ? join(temporaryDir(t), 'killed') : dir;
    if (again !== dir) cpSync(dir, again, { recursive: true });
    await using ledger = await openTestLedger(again);
    const { height } = ledger;
    // One that was under way, and one that was completed at the start and is answered by nobody.
    const above = height - 1n - newest;
    t.ok(above >= 0n && above <= 2n, `kill ${kill}: ${above} above the ${newest} answered`);
    for (let number = 0n; number < height; number += 1n) {
      const hash = toHex(headerHash(ledger.block(number)!.header!));
      if (hash !== (hashes.get(number) ?? hash)) t.fail(`block ${number} is not what was answered`);
      hashes.set(number, hash);
    }
    if (kill % 5 !== 0) continue;
    // What the tables hold is what the block files make from nothing.
    rmSync(copy, { recursive: true, force: true });
    cpSync(dir, copy, { recursive: true, filter: (path) => !path.includes('state') });
    await using anew = await openTestLedger(copy);
    t.same(fingerprint(anew), fingerprint(ledger), `${height} blocks replayed`);
  }
  t.ok(hashes.size > 20, `${hashes.size} blocks were written`);
}

t.test('a writer killed at any of 20 moments loses nothing that it answered', async (t) => {
  const when = moments();
  await Promise.all([killSeries(t, when), killSeries(t, when)]);
});
