import { concatBytes, equalBytes } from '#base';
import { sha256 } from '#crypto';
import { QueryReads } from '#formats';
import type { RangeQueryInfo } from '#formats';
import { fault } from './faults.ts';
import type { RangeRow } from './range-query.ts';

type MerkleSummary = NonNullable<RangeQueryInfo['readsMerkleHashes']>;

/**
 * Builds the Merkle summary of the rows and compares it with the one made in simulation, giving up
 * at the first hash that differs.
 *
 * @throws LEDGER_BLOCK_UNCOMMITTABLE where a stock peer stops or panics.
 * @see Fabric core/ledger/kvledger/txmgmt/validation/rangequery_validator.go, rangeQueryHashValidator.
 */
export function isSummaryUnchanged(expected: MerkleSummary, rows: Iterable<RangeRow>): boolean {
  const tree = new RangeSummary(expected.maxDegree);
  let matched = 0;
  for (const row of rows) {
    tree.add(row);
    const hashes = tree.topHashes;
    if (tree.maxLevel < expected.maxLevel || matched === hashes.length) continue;
    if (hashes.length > expected.maxLevelHashes.length) return false;
    const hash = hashes[matched];
    // The tree grew a level past hashes that all matched: a stock peer reads past the slice's end.
    if (hash === undefined) throw uncommittable('range summary outgrown');
    if (!equalBytes(hash, expected.maxLevelHashes[matched]!)) return false;
    matched += 1;
  }
  return tree.finish() && isSameSummary(tree, expected);
}

/**
 * Fabric's summary of a range's rows: every maxDegree + 1 rows are hashed into one hash, every
 * maxDegree + 1 hashes into one of the next level.
 *
 * @see Fabric core/ledger/kvledger/txmgmt/rwsetutil/query_results_helper.go.
 */
export class RangeSummary {
  readonly #maxDegree: number;
  readonly #levels = new Map<number, Uint8Array[]>();
  #rows: RangeRow[] = [];
  #maxLevel = 1;

  /** @throws LEDGER_BLOCK_UNCOMMITTABLE a degree below 2. */
  constructor(maxDegree: number) {
    if (maxDegree < 2) throw uncommittable('range summary degree');
    this.#maxDegree = maxDegree;
  }

  get maxDegree(): number {
    return this.#maxDegree;
  }

  get maxLevel(): number {
    return this.#maxLevel;
  }

  get topHashes(): readonly Uint8Array[] {
    return this.#levels.get(this.#maxLevel) ?? [];
  }

  add(row: RangeRow): void {
    this.#rows.push(row);
    if (this.#rows.length > this.#maxDegree) this.#hashRows();
  }

  /** @returns false when there were too few rows for a summary. */
  finish(): boolean {
    if (this.#maxLevel === 1 && this.topHashes.length === 0) return false;
    if (this.#rows.length > 0) this.#hashRows();
    for (let level = 1; level < this.#maxLevel; level += 1) this.#lift(level);
    const top = this.topHashes;
    if (top.length > this.#maxDegree) {
      this.#levels.delete(this.#maxLevel);
      this.#maxLevel += 1;
      this.#levels.set(this.#maxLevel, [sha256(concatBytes(...top))]);
    }
    return true;
  }

  #hashRows(): void {
    const kvReads = this.#rows.map(({ key, version }) => ({ key, version }));
    this.#rows = [];
    this.#push(1, sha256(QueryReads.encode({ kvReads })));
    for (let level = 1; this.#hashesAt(level).length > this.#maxDegree; level += 1) {
      const combined = sha256(concatBytes(...this.#hashesAt(level)));
      this.#levels.delete(level);
      this.#push(level + 1, combined);
      this.#maxLevel = Math.max(this.#maxLevel, level + 1);
    }
  }

  /** Moves what is left on a lower level up; a single hash goes as it is. */
  #lift(level: number): void {
    const hashes = this.#hashesAt(level);
    const [first, ...others] = hashes;
    if (first === undefined) return;
    this.#levels.delete(level);
    this.#push(level + 1, others.length === 0 ? first : sha256(concatBytes(...hashes)));
  }

  #push(level: number, hash: Uint8Array): void {
    this.#levels.set(level, [...this.#hashesAt(level), hash]);
  }

  #hashesAt(level: number): Uint8Array[] {
    return this.#levels.get(level) ?? [];
  }
}

function isSameSummary(tree: RangeSummary, expected: MerkleSummary): boolean {
  return (
    tree.maxDegree === expected.maxDegree &&
    tree.maxLevel === expected.maxLevel &&
    tree.topHashes.length === expected.maxLevelHashes.length &&
    tree.topHashes.every((hash, index) => equalBytes(hash, expected.maxLevelHashes[index]!))
  );
}

function uncommittable(reason: string): Error {
  return fault('LEDGER_BLOCK_UNCOMMITTABLE', { reason });
}
