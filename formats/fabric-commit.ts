/** Messages of Fabric's core/ledger/kvledger/txmgmt/txmgr/update_batch_bytes.proto. */
import { message } from './protobuf.ts';
import type { MessageOf } from './protobuf.ts';
import { bool, bytes, repeatedNested, text } from './protobuf-fields.ts';

/** One write of a block, as the commit hash sees it. */
export const CommitWrite = message('txmgr.KVWrite', {
  /** Empty when it is the one of the write before. */
  namespace: text(1),
  collection: text(2),
  key: bytes(3),
  isDelete: bool(4),
  value: bytes(5),
  versionBytes: bytes(6),
});
export type CommitWrite = MessageOf<typeof CommitWrite>;

export const CommitUpdates = message('txmgr.Updates', {
  writes: repeatedNested(1, () => CommitWrite),
});
export type CommitUpdates = MessageOf<typeof CommitUpdates>;
