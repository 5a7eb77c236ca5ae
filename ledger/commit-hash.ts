import { concatBytes, utf8 } from '#base';
import { sha256 } from '#crypto';
import { CommitUpdates } from '#formats';
import type { CommitWrite, Version } from '#formats';
import type { UpdateBatch } from './update-batch.ts';

/**
 * Fabric's commit hash: equal on two peers when they gave all blocks the same codes and made the
 * same state of them.
 *
 * @param codes the block's TRANSACTIONS_FILTER.
 * @param previous the commit hash of the block before; empty at block 1, whose predecessor has none.
 * @see Fabric core/ledger/kvledger/kv_ledger.go, addBlockCommitHash.
 */
export function commitHash(
  codes: Uint8Array,
  updates: UpdateBatch,
  previous: Uint8Array,
): Uint8Array {
  return sha256(concatBytes(varint(codes.length), codes, updateBytes(updates), previous));
}

/**
 * The block's writes in bytewise order of namespace and key; each namespace is named once.
 *
 * @see Fabric core/ledger/kvledger/txmgmt/txmgr/update_batch_bytes.go.
 */
function updateBytes(updates: UpdateBatch): Uint8Array {
  const writes: Partial<CommitWrite>[] = [];
  for (const namespace of updates.namespaces()) {
    // Fabric leaves the channel configuration out: its protobuf maps have no fixed order.
    if (namespace === '') continue;
    for (const [index, [key, update]] of updates.sorted(namespace).entries()) {
      writes.push({
        ...(index === 0 ? { namespace } : {}),
        key: utf8(key),
        isDelete: update.value === undefined,
        ...(update.value === undefined ? {} : { value: update.value }),
        versionBytes: versionBytes(update.version),
      });
    }
  }
  return CommitUpdates.encode({ writes: writes as CommitWrite[] });
}

/** @see Fabric core/ledger/internal/version/version.go, ToBytes. */
export function versionBytes({ blockNum, txNum }: Version): Uint8Array {
  return concatBytes(orderedUint64(blockNum), orderedUint64(txNum));
}

/** How many bytes follow, then the number big-endian without leading zero bytes. */
function orderedUint64(value: bigint): Uint8Array {
  const hex = value === 0n ? '' : value.toString(16);
  const bytes = Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex');
  return concatBytes(Uint8Array.of(bytes.length), bytes);
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 127) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  return Uint8Array.from([...bytes, rest]);
}
