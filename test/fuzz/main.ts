/**
 * Feeds generated chains to stock peers and to ours, and compares what they make of them.
 *
 * Usage: npm run fuzz:diff -- [--blocks N] [--seed S] [--slice BLOCKS] [--json]
 *
 * Versions as in test/interop/versions.ts. Ends with 1 when there is a difference, whose smallest
 * recipe is then in test/vectors/fuzz-diff/.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { fabricVersions } from '../interop/versions.ts';
import { compareChain } from './compare-chain.ts';
import type { Difference } from './compare-chain.ts';
import { Coverage } from './coverage.ts';
import { FuzzNetwork } from './fuzz-network.ts';
import { generateRecipe } from './generate.ts';
import { minimise } from './minimise.ts';
import { sizeOf } from './recipe.ts';
import type { Recipe } from './recipe.ts';
import { vectorsDir } from './vectors.ts';

const attemptsMax = 400;
/** A stock peer that waits for something that never comes waits longer; a busy machine does not. */
const stillMsMax = 30_000;
/** While a smallest chain is looked for; the one that is found is tried for longer. */
const shorterStillMsMax = 8_000;
/** A chain of its own for so many blocks: what fails is found again in it alone. */
const sliceBlocks = 250;

const { values } = parseArgs({
  options: {
    blocks: { type: 'string', default: '2000' },
    seed: { type: 'string', default: '1' },
    slice: { type: 'string', default: String(sliceBlocks) },
    json: { type: 'boolean', default: false },
  },
});
const [blocks, seed, slice] = [values.blocks, values.seed, values.slice].map(Number) as [
  number,
  number,
  number,
];
if (![blocks, seed, slice].every((one) => Number.isSafeInteger(one) && one >= 0) || slice < 2) {
  throw new TypeError('--blocks, --seed and --slice are whole numbers');
}
process.exitCode = (await run()) === 0 ? 0 : 1;

/** @returns how many differences there are. */
async function run(): Promise<number> {
  const dir = mkdtempSync(join(tmpdir(), 'fuzz-diff-'));
  const startedMs = performance.now();
  const coverage = new Coverage();
  const found: (Difference & { readonly vector: string })[] = [];
  try {
    await using network = await FuzzNetwork.start(dir, fabricVersions());
    const names = network.judges.map(({ name }) => name);
    for (let first = 0; first < blocks; first += slice) {
      const recipe = generateRecipe({
        seed: sliceSeed(first / slice),
        blocks: Math.min(slice, blocks - first),
        people: network.people.names,
      });
      const { blocks: built, differences } = await compareChain(network, recipe, { stillMsMax });
      coverage.add(built);
      for (const difference of differences) {
        const smallest = await smallestOf(network, recipe, difference);
        found.push({ ...difference, vector: keep(smallest, difference, first / slice) });
      }
      say(
        `${coverage.blocks} blocks, ${coverage.transactions} transactions, ${found.length} differences`,
      );
    }
    const seconds = Math.round((performance.now() - startedMs) / 1_000);
    if (values.json) {
      const report = { seed, seconds, peers: names, differences: found, coverage };
      process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
    } else {
      process.stdout.write(`${coverage.toString()}\n`);
      for (const one of found) process.stdout.write(`${JSON.stringify(one, null, 2)}\n`);
      const peers = names.join(', ');
      process.stdout.write(`seed ${seed}, ${seconds} s, ${peers}: ${found.length} differences\n`);
    }
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
  return found.length;
}

/** Two runs whose seeds are neighbours have no slice in common. */
function sliceSeed(index: number): number {
  return (seed * 1_000_003 + index) % 2 ** 31;
}

async function smallestOf(
  network: FuzzNetwork,
  recipe: Recipe,
  found: Difference,
): Promise<Recipe> {
  const { peer, what, block } = found;
  say(`${JSON.stringify(found)}\nlooking for the smallest such chain`);
  const fails = async (smaller: Recipe) => {
    const { differences } = await compareChain(network, smaller, {
      among: [peer],
      stillMsMax: shorterStillMsMax,
    });
    return differences.some((one) => one.what === what);
  };
  const upToThere = { blocks: recipe.blocks.slice(0, block + 5) };
  const start = (await fails(upToThere)) ? upToThere : recipe;
  const smallest = await minimise(start, fails, attemptsMax);
  say(`${sizeOf(smallest)} of ${sizeOf(recipe)} transactions are left`);
  return smallest;
}

/** @returns where the recipe is from now on, for the test that replays it. */
function keep(recipe: Recipe, found: Difference, index: number): string {
  const file = join(vectorsDir, `seed-${seed}-${index}-${found.peer}.json`);
  mkdirSync(vectorsDir, { recursive: true });
  const { recipe: _, ...where } = found;
  writeFileSync(file, `${JSON.stringify({ found: where, recipe }, null, 2)}\n`);
  return relative(process.cwd(), file);
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
