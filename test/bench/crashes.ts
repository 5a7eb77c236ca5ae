import { crashAgainAndAgain } from '../e2e/crash-loop.ts';
import { BenchScope } from '../hsm/signing-load.ts';
import type { Figure } from './figure.ts';

const kills = 1_000;
const seed = 1;

/** A thousand ends of processes at named points, under load; fails when anything was lost or signed twice. */
export async function claim(): Promise<Figure[]> {
  await using scope = new BenchScope();
  const { kills: counts, answered, blocks, wrong } = await crashAgainAndAgain(scope, kills, seed);
  if (wrong.length > 0) throw new Error(wrong.join('; '));
  const conditions = `kill -9 at ${counts.size} points of manager and signer host, 4 callers`;
  return [
    ...[...counts].map(([point, value]) => ({
      figure: point.replaceAll(' ', '_'),
      value,
      unit: 'kills',
      conditions,
    })),
    { figure: 'requests_answered', value: answered, unit: 'requests', conditions },
    { figure: 'blocks', value: blocks, unit: 'blocks', conditions },
  ];
}
