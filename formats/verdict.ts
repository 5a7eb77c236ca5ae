import type { ValidationCode } from './fabric-peer.ts';
import type {
  CollectionHashedReadWriteSet,
  KvMetadataWrite,
  KvRead,
  KvWrite,
  RangeQueryInfo,
} from './fabric-rwset.ts';

/** What validation says of one transaction of a block; the ledger turns it into state. */
export interface TransactionVerdict {
  code: ValidationCode;
  /** Empty when the transaction is too broken to have one. */
  txId: string;
  /** One of `headerTypes`, or whatever number the channel header holds. */
  type: number;
  /** Set when the read-write set could be read. */
  rwset?: ParsedRwSet;
}

/** A transaction's read-write set with the sets of its namespaces already read. */
export interface ParsedRwSet {
  namespaces: NamespaceRwSet[];
}

export interface NamespaceRwSet {
  namespace: string;
  reads: KvRead[];
  rangeQueries: RangeQueryInfo[];
  writes: KvWrite[];
  metadataWrites: KvMetadataWrite[];
  /** Private data collections: only in transactions made elsewhere. */
  collections?: CollectionHashedReadWriteSet[];
}
