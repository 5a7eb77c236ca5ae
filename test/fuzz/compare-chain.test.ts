import t from 'tap';
import { compareChain } from './compare-chain.ts';
import { FuzzNetwork } from './fuzz-network.ts';
import { generateRecipe } from './generate.ts';
import type { Digest, Judge } from './judge.ts';
import { minimise } from './minimise.ts';
import { sizeOf } from './recipe.ts';
import type { Recipe } from './recipe.ts';
import { fuzzVectors } from './vectors.ts';

const network = await FuzzNetwork.start(t.testdir(), []);
t.teardown(() => network[Symbol.asyncDispose]());
const [ours] = network.judges as [Judge];
const recipe = generateRecipe({ seed: 3, blocks: 12, people: network.people.names });
const stillMsMax = 20_000;

/** Our own peer, but that it sees its digests through somebody else's eyes. */
function judge(name: string, see: (digest: Digest, index: number) => Digest | 'nothing'): Judge {
  return {
    name,
    alive: true,
    join: (channel) => ours.join(channel),
    leave: () => ours.leave(),
    lastWords: () => Promise.resolve('none'),
    async *follow(channel, signal) {
      let index = 0;
      for await (const digest of ours.follow(channel, signal)) {
        const seen = see(digest, index);
        if (seen === 'nothing') return;
        yield seen;
        index += 1;
      }
    },
  };
}

const compare = (one: Judge, of: Recipe = recipe, waitMs = stillMsMax) =>
  compareChain({ open: (owner) => network.open(owner), judges: [one] }, of, {
    stillMsMax: waitMs,
  });

t.test('002-16 our peer says of a generated chain what the ledger says', async (t) => {
  const { blocks, differences } = await compare(ours);
  t.strictSame(differences, []);
  t.equal(blocks.length, recipe.blocks.length);
});

t.test('a peer that gives another code is found, with block and transaction', async (t) => {
  const liar = judge('liar', ({ codes, commitHash }, index) => ({
    codes: index === 4 ? codes.map(() => 254) : codes,
    commitHash,
  }));
  const { differences } = await compare(liar);
  t.match(differences, [{ peer: 'liar', what: 'codes', block: 5, transaction: 0 }]);
  t.equal(differences[0]?.theirs, 'NOT_VALIDATED');
});

t.test('a peer with another commit hash is found', async (t) => {
  const liar = judge('liar', ({ codes }) => ({ codes, commitHash: 'ab' }));
  t.match((await compare(liar)).differences, [{ what: 'commit hash', block: 1 }]);
});

t.test('a peer that stands still is found', async (t) => {
  const sleeper = judge('sleeper', (digest, index) => (index === 2 ? 'nothing' : digest));
  const { differences } = await compare(sleeper, recipe, 500);
  t.match(differences, [{ what: 'stopped', block: 3, lastWords: 'none' }]);
});

t.test('the smallest recipe is what makes the difference, and no more', async (t) => {
  const marked = recipe.blocks[7]!.transactions[0]!.nonce;
  const shows = async ({ blocks }: Recipe) =>
    blocks.some(({ transactions }) => transactions.some(({ nonce }) => nonce === marked));
  const smallest = await minimise(recipe, shows, 1_000);
  t.equal(sizeOf(smallest), 1);
  t.equal(smallest.blocks.length, 1);
  t.match(smallest.blocks[0]?.transactions, [
    { nonce: marked, endorsers: [], namespaces: [], mutations: [] },
  ]);
});

t.test('a recipe is the same for the same seed, and another for another', async (t) => {
  const people = network.people.names;
  t.strictSame(generateRecipe({ seed: 3, blocks: 12, people }), recipe);
  t.notSame(generateRecipe({ seed: 4, blocks: 12, people }), recipe);
});

for (const { name, recipe: kept } of fuzzVectors()) {
  t.test(`our peer says of ${name} what the ledger says`, async (t) => {
    t.strictSame((await compare(ours, kept)).differences, []);
  });
}
