import type { Log } from '#base';
import type { Block, BlockHeader, TransactionVerdict } from '#formats';
import type { BlockFiles } from './block-files.ts';
import type { EvidenceKeeper } from './evidence-keeper.ts';
import type { Lookups } from './lookups.ts';
import type { Savepoint } from './savepoint.ts';
import type { Store } from './store.ts';

/**
 * The signature and policy stage.
 *
 * @returns one verdict per transaction; VALID and NOT_VALIDATED leave the rest to the ledger.
 */
export type Validate = (block: Block, lookups: Lookups, configBlock: Block) => TransactionVerdict[];

/** Size and RFC 6962 root of the evidence log. */
export interface EvidenceHead {
  size: bigint;
  /** 32 bytes. */
  root: Uint8Array;
}

/** A block on disk that waits for its signature. */
export interface ProposedBlock {
  header: BlockHeader;
  data: Uint8Array[];
  /** Final codes, one byte per transaction. */
  codes: Uint8Array;
  evidenceAfter: EvidenceHead;
}

export interface CommittedBlock {
  number: bigint;
  /** SHA-256 of the header's DER, 32 bytes. */
  headerHash: Uint8Array;
  /** With TRANSACTIONS_FILTER and COMMIT_HASH filled in. */
  block: Block;
  /** Final codes, one byte per transaction. */
  codes: Uint8Array;
  /** As the transaction index has them, one per transaction; empty: none. */
  txIds: readonly string[];
  /** 32 bytes; empty at block 0. */
  commitHash: Uint8Array;
  /** After this block, as computed here: a block made elsewhere states its own. */
  evidence: EvidenceHead;
}

/** How far the tables on disk may lag behind the block files; past any of these they catch up. */
export interface LagBounds {
  entriesMax: number;
  bytesMax: number;
  blocksMax: number;
}

/** What an open ledger is made of. */
export interface LedgerParts {
  dir: string;
  lock: Disposable;
  store: Store;
  files: BlockFiles;
  evidenceLog: EvidenceKeeper;
  /** Whether it keeps what proves the chain to others: evidence log and commit hash. */
  keepsProofs: boolean;
  savepoint: Savepoint | undefined;
  validate: Validate;
  log: Log;
  /** Free bytes below which no block is begun. */
  diskReserveBytes: number;
  lag: LagBounds;
}
