import type { BlockRecipe, Recipe, TransactionRecipe } from './recipe.ts';

/**
 * Leaves out of a recipe whatever does not change that it fails: blocks, transactions, then parts of
 * transactions, in halves first and one by one at the end.
 *
 * @param fails whether a smaller recipe still shows the difference.
 * @param attemptsMax how often it is asked.
 */
export async function minimise(
  recipe: Recipe,
  fails: (smaller: Recipe) => Promise<boolean>,
  attemptsMax: number,
): Promise<Recipe> {
  let attempts = 0;
  const asked = async (smaller: Recipe) => {
    attempts += 1;
    return attempts <= attemptsMax && (await fails(smaller));
  };
  let blocks = await shortened(recipe.blocks, (some) => asked({ blocks: some }));
  for (let at = blocks.length - 1; at >= 0; at -= 1) {
    const withBlock = (block: BlockRecipe): Recipe => ({ blocks: blocks.with(at, block) });
    const transactions = await shortened(blocks[at]!.transactions, (some) =>
      asked(withBlock({ ...blocks[at], transactions: some })),
    );
    blocks = blocks.with(at, { ...blocks[at], transactions });
    for (let index = 0; index < transactions.length; index += 1) {
      const of = (one: TransactionRecipe) =>
        withBlock({ ...blocks[at], transactions: blocks[at]!.transactions.with(index, one) });
      const simple = await simplified(blocks[at]!.transactions[index]!, (one) => asked(of(one)));
      blocks = of(simple).blocks as BlockRecipe[];
    }
  }
  return { blocks };
}

/** A shortest part of the list that is still good, found by leaving out ever smaller runs. */
async function shortened<Item>(
  items: readonly Item[],
  isGood: (some: Item[]) => Promise<boolean>,
): Promise<Item[]> {
  let kept = [...items];
  for (let run = Math.ceil(kept.length / 2); run >= 1; run = Math.floor(run / 2)) {
    for (let at = kept.length - run; at > -run; at -= run) {
      const from = Math.max(at, 0);
      const some = [...kept.slice(0, from), ...kept.slice(at + run)];
      if (some.length > 0 && some.length < kept.length && (await isGood(some))) kept = some;
    }
  }
  return kept;
}

/** One simplification after the other, each kept when the rest still fails. */
async function simplified(
  transaction: TransactionRecipe,
  fails: (one: TransactionRecipe) => Promise<boolean>,
): Promise<TransactionRecipe> {
  let kept = transaction;
  for (;;) {
    let smaller: TransactionRecipe | undefined;
    for (const one of simplifications(kept)) {
      if (!(await fails(one))) continue;
      smaller = one;
      break;
    }
    if (smaller === undefined) return kept;
    kept = smaller;
  }
}

function* simplifications(one: TransactionRecipe): Generator<TransactionRecipe> {
  for (const mutations of withoutEach(one.mutations)) yield { ...one, mutations };
  for (const endorsers of withoutEach(one.endorsers)) yield { ...one, endorsers };
  for (const namespaces of withoutEach(one.namespaces)) yield { ...one, namespaces };
  for (const [index, namespace] of one.namespaces.entries()) {
    for (const part of ['reads', 'ranges', 'writes', 'metadata'] as const) {
      const { [part]: list, ...rest } = namespace;
      if (list === undefined) continue;
      yield { ...one, namespaces: one.namespaces.with(index, rest) };
      for (const fewer of withoutEach(list as readonly unknown[])) {
        if (fewer.length === 0) continue;
        const changed = { ...namespace, [part]: fewer };
        yield { ...one, namespaces: one.namespaces.with(index, changed) };
      }
    }
  }
}

function* withoutEach<Item>(items: readonly Item[]): Generator<Item[]> {
  for (let index = 0; index < items.length; index += 1) yield items.toSpliced(index, 1);
}
