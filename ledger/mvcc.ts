import { validationCodes } from '#formats';
import type { KvRead, ParsedRwSet, ValidationCode } from '#formats';
import { isSameVersion } from './committed-state.ts';
import type { CommittedState } from './committed-state.ts';
import { isRangeUnchanged } from './range-query.ts';
import type { UpdateBatch } from './update-batch.ts';

/**
 * Says whether everything a transaction read is still as it was, given what the valid transactions
 * before it in the block do. Namespace by namespace, the keys before the ranges.
 *
 * @returns VALID, MVCC_READ_CONFLICT or PHANTOM_READ_CONFLICT.
 * @throws LEDGER_BLOCK_UNCOMMITTABLE where a stock peer panics.
 * @see Fabric core/ledger/kvledger/txmgmt/validation/validator.go.
 */
export function checkReads(
  rwset: ParsedRwSet,
  updates: UpdateBatch,
  committed: CommittedState,
): ValidationCode {
  for (const { namespace, reads, rangeQueries } of rwset.namespaces) {
    if (!reads.every((read) => isReadFresh(namespace, read, updates, committed))) {
      return validationCodes.MVCC_READ_CONFLICT;
    }
    const unchanged = rangeQueries.every((query) =>
      isRangeUnchanged(namespace, query, updates, committed),
    );
    if (!unchanged) return validationCodes.PHANTOM_READ_CONFLICT;
  }
  return validationCodes.VALID;
}

/** A key touched in the block is stale even when the touch changed nothing. */
function isReadFresh(
  namespace: string,
  read: KvRead,
  updates: UpdateBatch,
  committed: CommittedState,
): boolean {
  if (updates.get(namespace, read.key) !== undefined) return false;
  return isSameVersion(committed.version(namespace, read.key), read.version);
}
