import { spawn } from 'node:child_process';
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { Test } from 'tap';
import { toHex } from '#base';
import { headerHash } from '#formats';
import { fingerprint, openTestLedger, temporaryDir } from './support.ts';

/** Half of a writer's start would be reading the same sources again. */
const compileCache = temporaryDir(t);
const program = join(import.meta.dirname, 'writer-process.ts');

/** Starts a writer, lets it run for a while, kills it, and says what it had answered by then. */
async function writeAndKill(dir: string, runMs: number): Promise<Map<bigint, string>> {
  const child = spawn(process.execPath, [program, dir], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_COMPILE_CACHE: compileCache },
  });
  const ended = new Promise<string | null>((resolve) => {
    child.on('close', (_, signal) => resolve(signal));
  });
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => {
    if (said === '') setTimeout(() => child.kill('SIGKILL'), runMs);
    said += chunk.toString();
  });
  if ((await ended) !== 'SIGKILL') throw new Error('the writer ended by itself');
  // The first line says that it is open, the last may be half of one.
  const lines = said.split('\n').slice(1, -1);
  return new Map(
    lines.map((line) => {
      const [number, hash] = line.split(' ') as [string, string];
      return [BigInt(number), hash];
    }),
  );
}

/** Fixed seed: the moments differ, the series does not. */
function* moments(): Generator<number> {
  let seed = 20_260_617;
  for (;;) {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    yield (seed % 1_000) / 16;
  }
}

const killsPerSeries = 15;

async function killSeries(t: Test, when: Generator<number>): Promise<void> {
  const dir = temporaryDir(t);
  const copy = join(temporaryDir(t), 'copy');
  const hashes = new Map<bigint, string>();
  for (let kill = 1; kill <= killsPerSeries; kill += 1) {
    const answered = await writeAndKill(dir, when.next().value as number);
    for (const [number, hash] of answered) hashes.set(number, hash);
    const newest = BigInt(Math.max(0, ...[...hashes.keys()].map(Number)));

    await using ledger = await openTestLedger(dir);
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
    await using again = await openTestLedger(copy);
    t.same(fingerprint(again), fingerprint(ledger), `${height} blocks replayed`);
  }
  t.ok(hashes.size > 30, `${hashes.size} blocks were written`);
}

t.test('a writer killed at any of 30 moments loses nothing that it answered', async (t) => {
  t.setTimeout(120_000);
  const when = moments();
  await Promise.all([killSeries(t, when), killSeries(t, when)]);
});
