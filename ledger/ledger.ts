import { dataHash } from '#formats';
import type { Block } from '#formats';
import { BlockWriter, isSameBlock } from './block-writer.ts';
import type { OpenBlock } from './block-writer.ts';
import { checkGenesis } from './block-checks.ts';
import { CommitFeed } from './commit-feed.ts';
import type { Evaluation } from './evaluate.ts';
import { fault } from './faults.ts';
import { frameKinds } from './frames.ts';
import { LedgerReads } from './ledger-reads.ts';
import type { CommittedTransaction, ReceiptParts, RequestPlace } from './ledger-reads.ts';
import type { FoundBlock } from './recovery.ts';
import type { StateChanges } from './state-changes.ts';
import { State } from './state.ts';
import type { StateEntry, StateRow } from './state.ts';
import type { CommittedBlock, EvidenceHead, LedgerParts, ProposedBlock } from './writer-types.ts';

/** One channel's ledger, of which this is the one writer. Owns its files until disposed of. */
export class Ledger implements AsyncDisposable {
  readonly #parts: LedgerParts;
  readonly #state: State;
  readonly #reads: LedgerReads;
  readonly #writer: BlockWriter;
  readonly #feed = new CommitFeed<CommittedBlock>();
  /** Proposed and not yet sealed. */
  #open: OpenBlock | undefined;
  #assessed: { height: bigint; envelopes: Uint8Array[]; evaluation: Evaluation } | undefined;
  #writing: Promise<unknown> | undefined;
  #closed = false;

  constructor(parts: LedgerParts) {
    this.#parts = parts;
    this.#state = new State(parts.store);
    this.#reads = new LedgerReads(parts.store, parts.files, parts.evidenceLog);
    this.#writer = new BlockWriter(parts, this.#state, this.#reads);
  }

  /** Blocks committed. */
  get height(): bigint {
    return this.#writer.height;
  }

  /** Empty while there is no block. */
  get lastHeaderHash(): Uint8Array {
    return this.#writer.lastHeaderHash;
  }

  get evidence(): EvidenceHead {
    return this.#writer.evidence;
  }

  /** The newest committed config block. @throws LEDGER_EMPTY */
  get configBlock(): Block {
    return this.#writer.configBlock;
  }

  /** The block that is to be sealed next, also after a crash. */
  get proposed(): ProposedBlock | undefined {
    return this.#open && proposedOf(this.#open);
  }

  /** Writes block 0. @throws LEDGER_NOT_EMPTY, LEDGER_GENESIS_INVALID, LEDGER_DISK_FULL */
  async init(genesis: Block): Promise<void> {
    await this.#alone(async () => {
      if (this.height > 0n) throw fault('LEDGER_NOT_EMPTY');
      checkGenesis(genesis);
      await this.#commitWhole(genesis);
    });
  }

  /**
   * The final codes that these envelopes would get as the next block; nothing is stored.
   *
   * @throws LEDGER_EMPTY; LEDGER_BLOCK_UNCOMMITTABLE and what else no block may contain.
   */
  assess(envelopes: readonly Uint8Array[]): Uint8Array {
    const evaluation = this.#writer.evaluate(this.#nextBlock(envelopes));
    this.#assessed = { height: this.height, envelopes: [...envelopes], evaluation };
    return evaluation.codes;
  }

  /**
   * Puts a block on disk before it is signed. It can then only be sealed, also after a crash.
   *
   * @throws LEDGER_DISK_FULL nothing was recorded; LEDGER_PROPOSAL_OPEN; LEDGER_BLOCK_GAP,
   *   LEDGER_BLOCK_CONFLICT, LEDGER_BLOCK_MALFORMED; LEDGER_BLOCK_UNCOMMITTABLE and the like.
   */
  async propose({ header, data }: Pick<ProposedBlock, 'header' | 'data'>): Promise<ProposedBlock> {
    return this.#alone(async () => {
      if (this.#open !== undefined) throw fault('LEDGER_PROPOSAL_OPEN');
      if (this.height === 0n) throw fault('LEDGER_EMPTY');
      const block: Block = { header, data: { data }, metadata: undefined };
      const evaluation = this.#assessmentOf(data);
      this.#open = await this.#writer.append(block, frameKinds.proposed, evaluation);
      return proposedOf(this.#open);
    });
  }

  /**
   * Completes the proposed block with its metadata and commits it. May be repeated after
   * LEDGER_DISK_FULL.
   *
   * @param metadata entries of BlockMetadata; TRANSACTIONS_FILTER and COMMIT_HASH are filled in here.
   * @throws LEDGER_PROPOSAL_ABSENT, LEDGER_DISK_FULL
   */
  async seal(metadata: readonly Uint8Array[]): Promise<CommittedBlock> {
    return this.#alone(async () => {
      if (this.#open === undefined) throw fault('LEDGER_PROPOSAL_ABSENT');
      return this.#sealAndApply(this.#open, metadata);
    });
  }

  /**
   * Commits a block made elsewhere, whose signature the caller has verified. May be repeated after
   * LEDGER_DISK_FULL.
   *
   * @param stated the evidence log that the block says it leads to; not looked at when absent.
   * @throws LEDGER_EVIDENCE_MISMATCH it leads to another one, and nothing was recorded;
   *   LEDGER_DISK_FULL; LEDGER_EMPTY; LEDGER_BLOCK_GAP, LEDGER_BLOCK_CONFLICT,
   *   LEDGER_BLOCK_MALFORMED; LEDGER_BLOCK_UNCOMMITTABLE and the like.
   */
  async commit(block: Block, stated?: EvidenceHead): Promise<CommittedBlock> {
    return this.#alone(async () => {
      const open = this.#open;
      if (open === undefined) {
        if (this.height === 0n) throw fault('LEDGER_EMPTY');
        return this.#commitWhole(block, stated);
      }
      if (!isSameBlock(open.block, block)) {
        throw fault('LEDGER_BLOCK_CONFLICT', { number: open.block.header!.number });
      }
      return this.#sealAndApply(open, block.metadata?.metadata ?? []);
    });
  }

  /** With what a peer fills in: codes, and the commit hash from block 1 on. */
  block(number: bigint): Block | undefined {
    return this.#reads.block(number);
  }

  /** common.Block bytes as they were signed: as an orderer delivers them. */
  rawBlock(number: bigint): Uint8Array | undefined {
    return this.#reads.rawBlock(number);
  }

  /** @param headerHash SHA-256 of the header's ASN.1 DER, 32 bytes. */
  blockByHash(headerHash: Uint8Array): Block | undefined {
    return this.#reads.blockByHash(headerHash);
  }

  blockByTxId(txId: string): Block | undefined {
    return this.#reads.blockByTxId(txId);
  }

  /** The first transaction with this id, valid or not. */
  transaction(txId: string): CommittedTransaction | undefined {
    return this.#reads.transaction(txId);
  }

  hasTransaction(txId: string): boolean {
    return this.#reads.hasTransaction(txId);
  }

  get(namespace: string, key: string): StateEntry | undefined {
    return this.#state.get(namespace, key);
  }

  /** At most `limit` entries with start ≤ key < end, bytewise; empty: no bound. */
  range(namespace: string, start: string, end: string, limit: number): StateRow[] {
    return this.#state.range(namespace, start, end, limit);
  }

  /**
   * What blocks did to the state above the tables on disk, for a `StateReader` in another thread.
   *
   * @param last what this reader was given before.
   */
  stateChanges(last?: Pick<StateChanges, 'base' | 'to'>): StateChanges {
    return this.#writer.changesSince(last);
  }

  /**
   * Where a request was executed, or else its newest attempt.
   *
   * @param requestId SHA-256 of its signing input, hex.
   */
  request(requestId: string): RequestPlace | undefined {
    return this.#reads.request(requestId);
  }

  /** Whether the request was executed: it is in a valid transaction. */
  hasRequest(requestId: string): boolean {
    return this.#reads.hasRequest(requestId);
  }

  /**
   * The request's leaf and its proof.
   *
   * @param atBlock whose evidence log to prove against; by default the block that holds the request.
   * @returns undefined when either is unknown, or that block's log is older than the request.
   */
  receiptParts(requestId: string, atBlock?: bigint): ReceiptParts | undefined {
    return this.#reads.receiptParts(requestId, atBlock);
  }

  /** @returns stops listening. The listener must not throw. */
  onCommit(listener: (committed: CommittedBlock) => void): () => void {
    return this.#feed.listen(listener);
  }

  /** @throws the signal's reason. */
  async waitForHeight(height: bigint, signal: AbortSignal): Promise<void> {
    return this.#feed.wait(height, () => this.height, signal);
  }

  /** Applies what the block files hold above the savepoint; called once, before anything else. */
  replay(found: readonly FoundBlock[]): void {
    for (const block of found) this.#open = this.#writer.replay(block);
  }

  /** Waits for the write under way, then gives up files and lock. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#writing?.catch(() => {});
    this.#flushQuietly();
    await this.#parts.store.root.close();
    await this.#parts.files[Symbol.asyncDispose]();
    this.#parts.lock[Symbol.dispose]();
  }

  /** Runs one write. @throws LEDGER_WRITE_BUSY when there is one already. */
  async #alone<Result>(write: () => Promise<Result>): Promise<Result> {
    if (this.#closed) throw fault('LEDGER_CLOSED');
    if (this.#writing !== undefined) throw fault('LEDGER_WRITE_BUSY');
    const running = write();
    this.#writing = running;
    try {
      return await running;
    } finally {
      this.#writing = undefined;
    }
  }

  /** What cannot be written now is replayed at the next start. */
  #flushQuietly(): void {
    try {
      this.#writer.flush();
    } catch (error) {
      this.#parts.log.warn({ err: error }, 'the tables stay behind the block files');
    }
  }

  async #commitWhole(block: Block, stated?: EvidenceHead): Promise<CommittedBlock> {
    this.#open ??= await this.#writer.append(block, frameKinds.block, undefined, stated);
    return this.#finish(this.#open);
  }

  async #sealAndApply(open: OpenBlock, metadata: readonly Uint8Array[]): Promise<CommittedBlock> {
    if (!open.recorded) await this.#writer.seal(open, metadata);
    return this.#finish(open);
  }

  #finish(open: OpenBlock): CommittedBlock {
    const committed = this.#writer.apply(open);
    this.#open = undefined;
    this.#assessed = undefined;
    this.#feed.publish(committed, this.height);
    return committed;
  }

  /** What was decided of these very envelopes at this very height need not be decided again. */
  #assessmentOf(envelopes: readonly Uint8Array[]): Evaluation | undefined {
    const assessed = this.#assessed;
    const same =
      assessed?.height === this.height &&
      assessed.envelopes.length === envelopes.length &&
      assessed.envelopes.every((envelope, index) => envelope === envelopes[index]);
    return same ? assessed.evaluation : undefined;
  }

  #nextBlock(envelopes: readonly Uint8Array[]): Block {
    if (this.height === 0n) throw fault('LEDGER_EMPTY');
    const header = {
      number: this.height,
      previousHash: this.lastHeaderHash,
      dataHash: dataHash(envelopes),
    };
    return { header, data: { data: [...envelopes] }, metadata: undefined };
  }
}

function proposedOf({ block, evaluation, evidence }: OpenBlock): ProposedBlock {
  return {
    header: block.header!,
    data: block.data!.data,
    codes: evaluation.codes,
    evidenceAfter: { size: evidence.size, root: evidence.root },
  };
}
