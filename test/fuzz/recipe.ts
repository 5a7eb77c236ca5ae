/**
 * What a generated chain is made of, in words instead of bytes: keys, nonces and versions follow when
 * it is built, so that a part of it can be left out and the rest still means what it meant.
 */
export interface Recipe {
  readonly blocks: readonly BlockRecipe[];
}

export interface BlockRecipe {
  readonly transactions: readonly TransactionRecipe[];
  /** In place of the transactions: a configuration is alone in its block. */
  readonly config?: ConfigRecipe;
}

export interface ConfigRecipe {
  /** A name of `configSteps`. */
  readonly step: string;
  readonly seed: number;
}

export interface TransactionRecipe {
  /** Two with the same number have the same nonce. */
  readonly nonce: number;
  /** The very envelope that an earlier one of the nonce was. */
  readonly again?: boolean;
  /** Names of `People`. */
  readonly creator: string;
  readonly endorsers: readonly string[];
  readonly contract: string;
  readonly namespaces: readonly NamespaceRecipe[];
  /** Its writes come before those of the namespaces. */
  readonly definition?: DefinitionRecipe;
  readonly mutations: readonly MutationRecipe[];
}

export interface DefinitionRecipe {
  readonly name: string;
  readonly sequence: number;
  readonly policy: PolicyRecipe;
}

/** Policy text, the path of a channel's policy, '@' and any other, '#' and the name of one made. */
export type PolicyRecipe = string;

export interface NamespaceRecipe {
  readonly name: string;
  readonly reads?: readonly { readonly key: string; readonly as: ReadKind }[];
  readonly ranges?: readonly RangeRecipe[];
  readonly writes?: readonly { readonly key: string; readonly as: WriteKind }[];
  /** Without a policy: all metadata of the key goes. */
  readonly metadata?: readonly { readonly key: string; readonly policy?: PolicyRecipe }[];
}

export const readKinds = ['now', 'absent', 'zero', 'older', 'next transaction'] as const;
export type ReadKind = (typeof readKinds)[number];

export const writeKinds = ['value', 'other', 'delete', 'empty', 'delete with value'] as const;
export type WriteKind = (typeof writeKinds)[number];

export const rangeKinds = ['now', 'one less', 'one more', 'other version', 'turned round'] as const;
export type RangeKind = (typeof rangeKinds)[number];

export interface RangeRecipe {
  readonly start: string;
  readonly end: string;
  readonly exhausted: boolean;
  readonly as: RangeKind;
  /** Of a Merkle summary; raw reads without. */
  readonly degree?: number;
}

/** A change to one layer of the transaction; the same seed makes the same change. */
export interface MutationRecipe {
  /** A name of `mutations`. */
  readonly kind: string;
  readonly seed: number;
}

/** How many transactions there are. */
export function sizeOf({ blocks }: Recipe): number {
  return blocks.reduce((sum, { transactions }) => sum + transactions.length, 0);
}
