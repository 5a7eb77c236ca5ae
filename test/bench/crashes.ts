import { crashAgainAndAgain } from '../e2e/crash-loop.ts';
import { BenchScope } from '../hsm/signing-load.ts';
import type { Figure } from './figure.ts';

/** Each network crashes with a seed of its own: a long run's requests would expire before they are posted again. */
const seeds = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
const killsEach = 100;

/** A thousand ends of processes at named points, under load; fails when anything was lost or signed twice. */
export async function claim(): Promise<Figure[]> {
  const counts = new Map<string, number>();
  const sums = { answered: 0, blocks: 0 };
  for (const seed of seeds) {
    await using scope = new BenchScope();
    const found = await crashAgainAndAgain(scope, killsEach, seed);
    if (found.wrong.length > 0) throw new Error(`seed ${seed}: ${found.wrong.join('; ')}`);
    for (const [point, kills] of found.kills) counts.set(point, (counts.get(point) ?? 0) + kills);
    sums.answered += found.answered;
    sums.blocks += found.blocks;
  }
  const conditions = `kill -9 at ${counts.size} points of manager and signer host, 4 callers, ${seeds.length} networks one after the other`;
  return [
    ...[...counts].map(([point, value]) => ({
      figure: point.replaceAll(' ', '_'),
      value,
      unit: 'kills',
      conditions,
    })),
    { figure: 'requests_answered', value: sums.answered, unit: 'requests', conditions },
    { figure: 'blocks', value: sums.blocks, unit: 'blocks', conditions },
  ];
}
