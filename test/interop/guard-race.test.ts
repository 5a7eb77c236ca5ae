import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import t from 'tap';
import { guardedHashes } from '../hsm/guarded-hashes.ts';
import { Racer } from '../hsm/guard-racers.ts';
import { temporaryDir } from '../support/temporary-dir.ts';

const requests = 10_000;
const stoppedMs = 60_000;
const rival = join(import.meta.dirname, '..', 'hsm', 'guard-rival.ts');
// In a network of its own nobody can ask a holder whether it lives, so each succeeds the other.
const noNetworks = spawnSync('unshare', ['-n', 'true']).status !== 0 && 'unshare needs root';

/** Lines of what a rival in a network namespace of its own has to say. */
async function runRival(dir: string, asked: number): Promise<string[]> {
  const args = ['-n', process.execPath, rival, dir, String(asked)];
  const child = spawn('unshare', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) lines.push(line);
  const [code] = await exited;
  if (code !== 0) throw new Error(`a rival ended with ${code}`);
  return lines;
}

t.test(
  'of two processes with one key, in two networks, each height is allowed to one for one block',
  { skip: noNetworks },
  async (t) => {
    const dir = temporaryDir(t);
    const said = await Promise.all([1, 2].map(() => runRival(dir, requests / 2)));
    const heard = said.map((lines) => JSON.parse(lines.pop() ?? '{}') as Heard);
    const allowed = said.flat();
    t.equal(new Set(allowed).size, allowed.length, 'nothing was allowed to both');
    const heights = new Set(allowed.map((line) => line.split(' ')[0]));
    t.equal(heights.size, allowed.length, 'one block for every height');
    const recorded = new Set(guardedHashes(join(dir, 'blocks.guard')));
    t.strictSame(
      allowed.filter((line) => !recorded.has(line)),
      [],
      'and each is on record',
    );
    for (const { heard: outcomes } of heard) {
      t.ok((outcomes['HSM_GUARD_FENCED'] ?? 0) > 10, JSON.stringify(outcomes));
      t.ok((outcomes['HSM_BLOCK_CONFLICT'] ?? 0) > 100);
    }
  },
);

interface Heard {
  readonly heard: Readonly<Record<string, number>>;
}

t.test('a holder that was stopped for a minute signs nothing when it comes back', async (t) => {
  const dir = temporaryDir(t);
  const stopped = new Racer(t, dir);
  t.equal(await stopped.heard(), 'holds');
  const previous = (await stopped.ask(1n)).split(' ')[1];
  stopped.signal('SIGSTOP');
  const successor = new Racer(t, dir);
  t.equal(await successor.heard(), 'holds');
  t.match(await successor.ask(2n, previous), /^allowed /);
  await wait(stoppedMs);
  stopped.signal('SIGCONT');
  t.equal(await stopped.ask(2n, previous), 'HSM_GUARD_FENCED');
  t.equal(guardedHashes(join(dir, 'blocks.guard')).length, 2);
  await Promise.all([stopped.end(), successor.end()]);
});
