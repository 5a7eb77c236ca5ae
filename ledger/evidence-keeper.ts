import { emptyBytes } from '#base';
import { emptyTree } from '#crypto';
import type { EvidenceLog, EvidencePlan } from './evidence-log.ts';

/** What the ledger does with its requests' leaves. */
export type EvidenceKeeper = Pick<
  EvidenceLog,
  'size' | 'root' | 'plan' | 'put' | 'adopt' | 'prove'
>;

/**
 * Counts the leaves that others keep. A ledger that nobody asks for receipts needs to know which
 * requests were executed, not to prove it: hashing them is a third of the cost of a block.
 */
export class EvidenceCount implements EvidenceKeeper {
  readonly root = emptyBytes;
  #size: bigint;

  constructor(size: bigint) {
    this.#size = size;
  }

  get size(): bigint {
    return this.#size;
  }

  plan(leafHashes: readonly Uint8Array[]): EvidencePlan {
    const size = this.#size + BigInt(leafHashes.length);
    return { newNodes: [], state: emptyTree, size, root: emptyBytes };
  }

  put(): void {
    // There is nothing but the size, and that is in the savepoint.
  }

  adopt({ size }: EvidencePlan): void {
    this.#size = size;
  }

  prove(): never {
    throw new TypeError('this ledger keeps no evidence log');
  }
}
