import { setTimeout as sleep } from 'node:timers/promises';
import { toHex } from '#base';
import { validationCodeName } from '#formats';
import type { BuiltBlock } from './fuzz-chain.ts';
import type { FuzzChannel, FuzzNetwork } from './fuzz-network.ts';
import type { Digest, Judge } from './judge.ts';
import { Owner } from './owner.ts';
import type { Recipe, TransactionRecipe } from './recipe.ts';

/** Where a peer and our ledger part. */
export interface Difference {
  readonly peer: string;
  readonly what: 'codes' | 'commit hash' | 'stopped' | 'ended';
  /** The first block of which it is so. */
  readonly block: number;
  /** Of codes: the transaction's index, what we say of it and what the peer says. */
  readonly transaction?: number;
  readonly ours?: string;
  readonly theirs?: string;
  readonly recipe?: TransactionRecipe;
  /** Of a peer that ended or stands still: why or where, in its own words. */
  readonly lastWords?: string;
}

export interface Comparison {
  readonly blocks: readonly BuiltBlock[];
  /** One per peer at most. */
  readonly differences: readonly Difference[];
}

const pollMs = 100;

export interface CompareOptions {
  /** The names of the peers; all of the network when absent. */
  readonly among?: readonly string[];
  /** How long a peer may commit nothing of what there is before it counts as one that stands still. */
  readonly stillMsMax: number;
}

/**
 * Builds a chain of its own from the recipe and feeds it to the peers while it grows.
 */
export async function compareChain(
  network: Pick<FuzzNetwork, 'open' | 'judges'>,
  recipe: Recipe,
  options: CompareOptions,
): Promise<Comparison> {
  await using owner = new Owner();
  const channel = await network.open(owner);
  const judges = network.judges.filter(({ name }) => options.among?.includes(name) ?? true);
  await Promise.all(judges.map((judge) => judge.join(channel)));
  for (const judge of judges) owner.teardown(() => judge.leave());
  const blocks: BuiltBlock[] = [];
  let complete = false;
  let ended = 0;
  const watched = judges.map((judge) =>
    watch(judge, channel, { blocks, complete: () => complete, ...options }).finally(() => {
      ended += 1;
    }),
  );
  try {
    for (const block of recipe.blocks) {
      if (ended === judges.length) break;
      blocks.push(await channel.append(block));
    }
  } finally {
    complete = true;
  }
  const differences = await Promise.all(watched);
  return { blocks, differences: differences.filter((one) => one !== undefined) };
}

/** Follows a peer until it has said all, stands still, or says something else than we do. */
async function watch(
  judge: Judge,
  channel: FuzzChannel,
  chain: CompareOptions & {
    readonly blocks: readonly BuiltBlock[];
    readonly complete: () => boolean;
  },
): Promise<Difference | undefined> {
  const stop = new AbortController();
  const said: Digest[] = [];
  let failure: unknown;
  const following = (async () => {
    for await (const digest of judge.follow(channel, stop.signal)) said.push(digest);
  })().catch((error: unknown) => {
    failure = error;
  });
  let compared = 0;
  let movedAtMs = performance.now();
  try {
    for (;;) {
      const until = Math.min(said.length, chain.blocks.length);
      for (; compared < until; compared += 1) {
        movedAtMs = performance.now();
        const difference = compareBlock(judge.name, chain.blocks[compared]!, said[compared]!);
        if (difference !== undefined) return difference;
      }
      if (compared === chain.blocks.length) {
        if (chain.complete()) return undefined;
        movedAtMs = performance.now();
      } else if (!judge.alive) {
        const lastWords = await judge.lastWords();
        return { peer: judge.name, what: 'ended', block: compared + 1, lastWords };
      } else if (performance.now() - movedAtMs > chain.stillMsMax) {
        if (failure !== undefined) throw failure;
        const lastWords = await judge.lastWords();
        return { peer: judge.name, what: 'stopped', block: compared + 1, lastWords };
      }
      await sleep(pollMs);
    }
  } finally {
    stop.abort();
    await following;
  }
}

function compareBlock(peer: string, built: BuiltBlock, theirs: Digest): Difference | undefined {
  const { committed, transactions } = built;
  const block = Number(committed.number);
  const transaction = committed.codes.findIndex((code, index) => code !== theirs.codes[index]);
  if (transaction >= 0) {
    const recipe = transactions[transaction]?.recipe;
    return {
      peer,
      what: 'codes',
      block,
      transaction,
      ours: validationCodeName(committed.codes[transaction]!),
      theirs: validationCodeName(theirs.codes[transaction]!),
      ...(recipe === undefined ? {} : { recipe }),
    };
  }
  if (toHex(committed.commitHash) === theirs.commitHash) return undefined;
  return { peer, what: 'commit hash', block };
}
