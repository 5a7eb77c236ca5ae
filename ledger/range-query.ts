import { compareKeys } from '#formats';
import type { KvRead, RangeQueryInfo, Version } from '#formats';
import { isSameVersion } from './committed-state.ts';
import type { CommittedState } from './committed-state.ts';
import { fault } from './faults.ts';
import { isSummaryUnchanged } from './range-merkle.ts';
import type { UpdateBatch } from './update-batch.ts';

/** A key of a range as it stands before the transaction under validation. */
export interface RangeRow {
  key: string;
  version: Version;
}

/**
 * Runs a range query again and compares: the rows one by one, or their Merkle summary.
 *
 * @throws LEDGER_BLOCK_UNCOMMITTABLE where a stock peer panics.
 * @see Fabric core/ledger/kvledger/txmgmt/validation/rangequery_validator.go.
 */
export function isRangeUnchanged(
  namespace: string,
  query: RangeQueryInfo,
  updates: UpdateBatch,
  committed: CommittedState,
): boolean {
  const rows = combinedRows(namespace, query, updates, committed);
  return query.readsMerkleHashes === undefined
    ? areReadsUnchanged(namespace, query.rawReads?.kvReads ?? [], rows)
    : isSummaryUnchanged(query.readsMerkleHashes, rows);
}

function areReadsUnchanged(
  namespace: string,
  reads: readonly KvRead[],
  rows: Iterable<RangeRow>,
): boolean {
  let index = 0;
  for (const row of rows) {
    const read = reads[index];
    if (read === undefined || read.key !== row.key) return false;
    if (read.version === undefined) {
      throw fault('LEDGER_BLOCK_UNCOMMITTABLE', {
        namespace,
        key: read.key,
        reason: 'range read without version',
      });
    }
    if (!isSameVersion(read.version, row.version)) return false;
    index += 1;
  }
  return index === reads.length;
}

/**
 * The committed rows of the range with the block's updates laid over them. A query that was not
 * read to its end names the last key it saw as its end, and that key belongs to it.
 */
function* combinedRows(
  namespace: string,
  { startKey, endKey, itrExhausted }: RangeQueryInfo,
  updates: UpdateBatch,
  committed: CommittedState,
): Generator<RangeRow> {
  const updated = updates.sorted(namespace, startKey, endKey).values();
  let update = updated.next();
  for (const row of committed.scan(namespace, startKey, endKey)) {
    while (!update.done && compareKeys(update.value[0], row.key) < 0) {
      yield* rowOf(update.value);
      update = updated.next();
    }
    if (!update.done && update.value[0] === row.key) {
      yield* rowOf(update.value);
      update = updated.next();
    } else {
      yield row;
    }
  }
  while (!update.done) {
    yield* rowOf(update.value);
    update = updated.next();
  }
  if (itrExhausted) return;
  const last = updates.get(namespace, endKey) ?? committed.get(namespace, endKey);
  if (last?.value !== undefined) yield { key: endKey, version: last.version };
}

function rowOf([key, { value, version }]: [
  string,
  { value: Uint8Array | undefined; version: Version },
]): RangeRow[] {
  return value === undefined ? [] : [{ key, version }];
}
