import t from 'tap';
import { compareChain } from '../fuzz/compare-chain.ts';
import { Coverage } from '../fuzz/coverage.ts';
import { FuzzNetwork } from '../fuzz/fuzz-network.ts';
import { generateRecipe } from '../fuzz/generate.ts';
import { fuzzVectors } from '../fuzz/vectors.ts';
import { fabricVersions } from './versions.ts';

const blocks = 60;
const seed = 20_261_121;
/** Longer than the tool waits: this machine may be busy with anything. */
const stillMsMax = 60_000;

const network = await FuzzNetwork.start(t.testdir(), fabricVersions());
t.teardown(() => network[Symbol.asyncDispose]());

t.test('P17 a generated chain gets the codes and commit hashes of every stock peer', async (t) => {
  const recipe = generateRecipe({ seed, blocks, people: network.people.names });
  const { blocks: built, differences } = await compareChain(network, recipe, { stillMsMax });
  t.strictSame(differences, []);
  const coverage = new Coverage();
  coverage.add(built);
  t.ok(coverage.blocks > blocks - 5, `${coverage.blocks} blocks were made`);
  t.ok(Object.keys(coverage.codes).length >= 14, `codes: ${JSON.stringify(coverage.codes)}`);
});

for (const { name, title, recipe } of fuzzVectors()) {
  t.test(`${title ?? name} (${name})`, async (t) => {
    const { blocks: built, differences } = await compareChain(network, recipe, { stillMsMax });
    t.strictSame(differences, []);
    t.equal(built.length, recipe.blocks.length, 'all of it may come into blocks');
  });
}
