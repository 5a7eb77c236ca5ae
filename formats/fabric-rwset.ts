/** Messages of fabric-protos ledger/rwset/rwset.proto and ledger/rwset/kvrwset/kv_rwset.proto. */
import { message } from './protobuf.ts';
import type { MessageOf } from './protobuf.ts';
import {
  bool,
  bytes,
  int32,
  nested,
  repeatedBytes,
  repeatedNested,
  text,
  uint32,
  uint64,
} from './protobuf-fields.ts';
import { isSurelyCanonical } from './protobuf-walk.ts';

/** Block number and index of the transaction in its block; absent and {0,0} are different. */
export const Version = message('kvrwset.Version', { blockNum: uint64(1), txNum: uint64(2) });
export type Version = MessageOf<typeof Version>;

export const KvRead = message('kvrwset.KVRead', {
  key: text(1),
  version: nested(2, () => Version),
});
export type KvRead = MessageOf<typeof KvRead>;

export const KvWrite = message('kvrwset.KVWrite', {
  key: text(1),
  isDelete: bool(2),
  value: bytes(3),
});
export type KvWrite = MessageOf<typeof KvWrite>;

export const KvMetadataEntry = message('kvrwset.KVMetadataEntry', {
  name: text(1),
  value: bytes(2),
});
export const KvMetadataWrite = message('kvrwset.KVMetadataWrite', {
  key: text(1),
  entries: repeatedNested(2, () => KvMetadataEntry),
});
export type KvMetadataWrite = MessageOf<typeof KvMetadataWrite>;

export const QueryReads = message('kvrwset.QueryReads', {
  kvReads: repeatedNested(1, () => KvRead),
});
export const QueryReadsMerkleSummary = message('kvrwset.QueryReadsMerkleSummary', {
  maxDegree: uint32(1),
  maxLevel: uint32(2),
  maxLevelHashes: repeatedBytes(3),
});
export const RangeQueryInfo = message(
  'kvrwset.RangeQueryInfo',
  {
    startKey: text(1),
    endKey: text(2),
    itrExhausted: bool(3),
    rawReads: nested(4, () => QueryReads),
    readsMerkleHashes: nested(5, () => QueryReadsMerkleSummary),
  },
  [['rawReads', 'readsMerkleHashes']],
);
export type RangeQueryInfo = MessageOf<typeof RangeQueryInfo>;

export const KvRwSet = message('kvrwset.KVRWSet', {
  reads: repeatedNested(1, () => KvRead),
  rangeQueriesInfo: repeatedNested(2, () => RangeQueryInfo),
  writes: repeatedNested(3, () => KvWrite),
  metadataWrites: repeatedNested(4, () => KvMetadataWrite),
});
export type KvRwSet = MessageOf<typeof KvRwSet>;

const RwSetWithoutMetadata = message('kvrwset.KVRWSet', {
  reads: repeatedNested(1, () => KvRead),
  rangeQueriesInfo: repeatedNested(2, () => RangeQueryInfo),
  writes: repeatedNested(3, () => KvWrite),
});

/**
 * Whether these are surely the canonical bytes of a `KvRwSet` without metadata writes. Nothing is made
 * of them: a bundle's are a hundred kilobytes.
 *
 * @returns false: they may be all the same.
 */
export function isPlainRwSet(bytes: Uint8Array): boolean {
  return isSurelyCanonical(RwSetWithoutMetadata, bytes);
}

export const CollectionHashedReadWriteSet = message('rwset.CollectionHashedReadWriteSet', {
  collectionName: text(1),
  hashedRwset: bytes(2),
  pvtRwsetHash: bytes(3),
});
export type CollectionHashedReadWriteSet = MessageOf<typeof CollectionHashedReadWriteSet>;

export const KvReadHash = message('kvrwset.KVReadHash', {
  keyHash: bytes(1),
  version: nested(2, () => Version),
});
export const KvWriteHash = message('kvrwset.KVWriteHash', {
  keyHash: bytes(1),
  isDelete: bool(2),
  valueHash: bytes(3),
  isPurge: bool(4),
});
export const KvMetadataWriteHash = message('kvrwset.KVMetadataWriteHash', {
  keyHash: bytes(1),
  entries: repeatedNested(2, () => KvMetadataEntry),
});
/** Bytes in `CollectionHashedReadWriteSet.hashedRwset`. */
export const HashedRwSet = message('kvrwset.HashedRWSet', {
  hashedReads: repeatedNested(1, () => KvReadHash),
  hashedWrites: repeatedNested(2, () => KvWriteHash),
  metadataWrites: repeatedNested(3, () => KvMetadataWriteHash),
});

export const NsReadWriteSet = message('rwset.NsReadWriteSet', {
  namespace: text(1),
  rwset: bytes(2),
  collectionHashedRwset: repeatedNested(3, () => CollectionHashedReadWriteSet),
});
export type NsReadWriteSet = MessageOf<typeof NsReadWriteSet>;

export const TxReadWriteSet = message('rwset.TxReadWriteSet', {
  dataModel: int32(1),
  nsRwset: repeatedNested(2, () => NsReadWriteSet),
});
export type TxReadWriteSet = MessageOf<typeof TxReadWriteSet>;
