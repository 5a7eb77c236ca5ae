import { KvMetadataWrite } from '#formats';
import type { KvWrite, NamespaceRwSet, ParsedRwSet, Version } from '#formats';
import type { CommittedState } from './committed-state.ts';
import { fault } from './faults.ts';
import type { UpdateBatch } from './update-batch.ts';

/**
 * Adds the writes of a valid transaction to what its block does.
 *
 * A value without metadata keeps the key's metadata; metadata without a value keeps the value, gets
 * the new version, and does nothing to a key that is not there.
 *
 * @throws LEDGER_BLOCK_UNCOMMITTABLE where a stock peer panics.
 * @see Fabric core/ledger/kvledger/txmgmt/validation/tx_ops.go.
 */
export function applyWriteSet(
  rwset: ParsedRwSet,
  version: Version,
  updates: UpdateBatch,
  committed: CommittedState,
): void {
  // Fabric merges all keys with the state before the transaction, and only then adds them.
  const merged = rwset.namespaces.flatMap((set) =>
    [...keyOperations(set)].map(([key, operation]) => ({
      namespace: set.namespace,
      key,
      update: merge(set.namespace, key, operation, updates, committed),
    })),
  );
  for (const { namespace, key, update } of merged) {
    if (update !== undefined) updates.set(namespace, key, { ...update, version });
  }
}

interface KeyOperation {
  flags: number;
  value: Uint8Array | undefined;
  metadata: Uint8Array | undefined;
}

/** Fabric *adds* these up in a uint8, so that a key written twice means something else. */
const flags = { value: 1, metadata: 2, metadataDelete: 4, delete: 8 } as const;

function keyOperations(set: NamespaceRwSet): Map<string, KeyOperation> {
  const operations = new Map<string, KeyOperation>();
  const add = (key: string, flag: number): KeyOperation => {
    const operation = operations.get(key) ?? { flags: 0, value: undefined, metadata: undefined };
    operation.flags = (operation.flags + flag) % 256;
    operations.set(key, operation);
    return operation;
  };
  for (const write of set.writes) {
    if (isDelete(write)) add(write.key, flags.delete);
    else add(write.key, flags.value).value = write.value;
  }
  for (const { key, entries } of set.metadataWrites) {
    if (entries.length === 0) add(key, flags.metadataDelete);
    else add(key, flags.metadata).metadata = KvMetadataWrite.encode({ entries });
  }
  return operations;
}

/** An empty value is a deletion, whatever the flag says. */
export function isDelete(write: KvWrite): boolean {
  return write.isDelete || write.value.length === 0;
}

type Merged = Pick<KeyOperation, 'value' | 'metadata'>;

function merge(
  namespace: string,
  key: string,
  operation: KeyOperation,
  updates: UpdateBatch,
  committed: CommittedState,
): Merged | undefined {
  const has = (flag: number) => (operation.flags & flag) === flag;
  if (has(flags.delete)) return { value: undefined, metadata: undefined };
  const { value, metadata } = operation;
  if (has(flags.value) && (has(flags.metadata) || has(flags.metadataDelete))) {
    return { value, metadata };
  }
  const pending = updates.get(namespace, key);
  let merged: Merged | undefined;
  if (operation.flags === flags.value || operation.flags === 0) {
    const kept = pending === undefined ? committed.metadata(namespace, key) : pending.metadata;
    merged = { value, metadata: kept };
  } else {
    const before = pending ?? committed.get(namespace, key);
    merged = before && { value: before.value, metadata };
  }
  // A stock peer panics at metadata for a key that an earlier transaction of the block deleted.
  if (merged !== undefined && merged.value === undefined) {
    throw fault('LEDGER_BLOCK_UNCOMMITTABLE', { namespace, key, reason: 'put of no value' });
  }
  return merged;
}
