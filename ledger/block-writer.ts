import { statfsSync } from 'node:fs';
import { emptyBytes, equalBytes } from '#base';
import { Block, headerHash, headerTypes, validationCodes } from '#formats';
import type { TransactionVerdict } from '#formats';
import { applyBlock } from './apply-block.ts';
import type { RecordedBlock } from './apply-block.ts';
import { checkFollows } from './block-checks.ts';
import { evaluateBlock } from './evaluate.ts';
import type { Evaluation } from './evaluate.ts';
import { fault } from './faults.ts';
import { frameKinds } from './frames.ts';
import type { FrameKind } from './frames.ts';
import { withVerdict } from './ledger-reads.ts';
import type { LedgerReads } from './ledger-reads.ts';
import { definitionOf, keyPolicyOf } from './lookups.ts';
import type { Lookups } from './lookups.ts';
import type { FoundBlock } from './recovery.ts';
import type { Savepoint } from './savepoint.ts';
import { StateChangeLog } from './state-changes.ts';
import type { StateChanges } from './state-changes.ts';
import type { State } from './state.ts';
import { flushStore, lagOf } from './store.ts';
import type { CommittedBlock, EvidenceHead, LedgerParts } from './writer-types.ts';

/** A block above the savepoint: decided, and on disk at least in part. */
export interface OpenBlock extends Omit<RecordedBlock, 'end'> {
  /** Whether all of it is on disk, so that it will be applied whatever happens. */
  recorded: boolean;
}

/** Takes blocks through their steps: decide, append, seal, apply. Its caller calls one at a time. */
export class BlockWriter {
  readonly #parts: LedgerParts;
  readonly #state: State;
  readonly #reads: LedgerReads;
  readonly #changes: StateChangeLog;
  #savepoint: Savepoint | undefined;
  #evidence: EvidenceHead;
  #configBlock: Block | undefined;

  constructor(parts: LedgerParts, state: State, reads: LedgerReads) {
    this.#parts = parts;
    this.#state = state;
    this.#reads = reads;
    this.#savepoint = parts.savepoint;
    this.#changes = new StateChangeLog(this.height);
    this.#evidence = { size: parts.evidenceLog.size, root: parts.evidenceLog.root };
  }

  get height(): bigint {
    return this.#savepoint?.height ?? 0n;
  }

  get lastHeaderHash(): Uint8Array {
    return this.#savepoint?.headerHash ?? emptyBytes;
  }

  get evidence(): EvidenceHead {
    return this.#evidence;
  }

  get configBlock(): Block {
    if (this.#savepoint === undefined) throw fault('LEDGER_EMPTY');
    this.#configBlock ??= this.#reads.block(this.#savepoint.configBlockNumber);
    return this.#configBlock!;
  }

  /** What the block would do if it were the next one. */
  evaluate(block: Block): Evaluation {
    return evaluateBlock(block, this.#verdicts(block), {
      committed: this.#state,
      hasTransaction: (txId) => this.#reads.hasTransaction(txId),
      commitHash: this.#savepoint?.commitHash ?? emptyBytes,
      evidenceSize: this.#evidence.size,
      keepsProofs: this.#parts.keepsProofs,
    });
  }

  /**
   * Checks, decides and appends a block.
   *
   * @param kind whole, or proposed: to be sealed later.
   * @param evaluation when it was decided before.
   * @param stated the evidence log that the block must lead to.
   */
  async append(
    block: Block,
    kind: FrameKind,
    evaluation: Evaluation | undefined,
    stated?: EvidenceHead,
  ): Promise<OpenBlock> {
    this.#flushWhenDue();
    checkFollows(block, this.height, this.lastHeaderHash);
    const decided = evaluation ?? this.evaluate(block);
    if (stated !== undefined) this.#requireEvidence(decided, stated);
    const payload = Block.encode(block);
    this.#requireSpace(payload.length);
    const { number } = block.header!;
    const place = await this.#parts.files.append({ kind, number, payload });
    return this.#opened(block, decided, { place, recorded: kind === frameKinds.block });
  }

  /** Appends the metadata of a proposed block: from here on it will be applied. */
  async seal(open: OpenBlock, metadata: readonly Uint8Array[]): Promise<void> {
    const sealed = { metadata: [...metadata] };
    open.metadataPlace = await this.#parts.files.append({
      kind: frameKinds.sealed,
      number: open.block.header!.number,
      payload: Block.encode({ metadata: sealed }),
    });
    open.block = { ...open.block, metadata: sealed };
    open.recorded = true;
  }

  /** Applies a recorded block to the tables. */
  apply(open: OpenBlock, end = this.#parts.files.end): CommittedBlock {
    const { store, evidenceLog } = this.#parts;
    const target = { store, log: evidenceLog, savepoint: this.#savepoint };
    const { savepoint, changes } = applyBlock(target, { ...open, end });
    this.#changes.add(this.height, changes);
    this.#savepoint = savepoint;
    this.#state.moved();
    this.#evidence = { size: open.evidence.size, root: open.evidence.root };
    if (open.evaluation.isConfig) this.#configBlock = undefined;
    const { codes, txIds, commitHash, bundles } = open.evaluation;
    this.#reads.remember(this.height - 1n, bundles);
    return {
      number: this.height - 1n,
      headerHash: this.lastHeaderHash,
      block: withVerdict(open.block, { codes, commitHash }),
      codes,
      txIds,
      commitHash,
      evidence: this.#evidence,
    };
  }

  /** Takes a block that is on disk already through the same steps. @throws LEDGER_REPLAY_FAILED */
  replay(found: FoundBlock): OpenBlock | undefined {
    const { files } = this.#parts;
    try {
      const block = Block.decode(files.read(found.place).payload);
      if (found.metadataPlace !== undefined) {
        block.metadata = Block.decode(files.read(found.metadataPlace).payload).metadata;
      }
      checkFollows(block, this.height, this.lastHeaderHash);
      const { place, metadataPlace, complete } = found;
      const open = this.#opened(block, this.evaluate(block), {
        place,
        ...(metadataPlace === undefined ? {} : { metadataPlace }),
        recorded: complete,
      });
      if (!complete) return open;
      this.#flushWhenDue();
      this.apply(open, found.end);
      return undefined;
    } catch (cause) {
      throw fault('LEDGER_REPLAY_FAILED', { number: found.number }, cause);
    }
  }

  /** What a reader whose tables lag behind has to know. */
  changesSince(last: Pick<StateChanges, 'base' | 'to'> | undefined): StateChanges {
    return this.#changes.since(last);
  }

  /** Brings the tables on disk up to the newest block. @throws LEDGER_DISK_FULL, LEDGER_WRITE_FAILED */
  flush(): void {
    const { dir, store } = this.#parts;
    if (lagOf(store).entries === 0) return;
    flushStore(dir, store);
    this.#changes.flushed(this.height);
  }

  /**
   * Before a block is begun, so that a disk too full for the tables is refused as one too full for
   * the block. How far the tables may lag bounds memory, and what a start has to replay.
   */
  #flushWhenDue(): void {
    const { store, lag } = this.#parts;
    const { entries, bytes } = lagOf(store);
    const isDue =
      entries >= lag.entriesMax ||
      bytes >= lag.bytesMax ||
      this.#changes.blockCount >= lag.blocksMax;
    if (isDue) this.flush();
  }

  #opened(
    block: Block,
    evaluation: Evaluation,
    stage: Pick<OpenBlock, 'place' | 'metadataPlace' | 'recorded'>,
  ): OpenBlock {
    const evidence = this.#parts.evidenceLog.plan(evaluation.leafHashes);
    return { block, evaluation, evidence, ...stage };
  }

  /** A genesis block is believed: every peer of the channel was given it by hand. */
  #verdicts(block: Block): TransactionVerdict[] {
    if (block.header!.number === 0n) {
      return [{ code: validationCodes.VALID, txId: '', type: headerTypes.config }];
    }
    return this.#parts.validate(block, this.#lookups(), this.configBlock);
  }

  /** Of one block: its transactions mostly call the same contracts. */
  #lookups(): Lookups {
    const definitions = new Map<string, ReturnType<Lookups['definition']>>();
    const definition = (namespace: string) => {
      if (!definitions.has(namespace)) {
        definitions.set(namespace, definitionOf(namespace, this.#state));
      }
      return definitions.get(namespace);
    };
    return {
      get: (namespace, key) => this.#state.get(namespace, key),
      hasTransaction: (txId) => this.#reads.hasTransaction(txId),
      keyPolicy: (namespace, key) => keyPolicyOf(this.#state.metadata(namespace, key)),
      definition,
    };
  }

  #requireEvidence({ leafHashes }: Evaluation, stated: EvidenceHead): void {
    const { size, root } = this.#parts.evidenceLog.plan(leafHashes);
    if (size === stated.size && equalBytes(root, stated.root)) return;
    throw fault('LEDGER_EVIDENCE_MISMATCH', { number: this.height, size, stated: stated.size });
  }

  /** A block that was begun has to be finished: not enough room for that is a full disk. */
  #requireSpace(blockBytes: number): void {
    const { dir, diskReserveBytes } = this.#parts;
    const { bavail, bsize } = statfsSync(dir);
    const freeBytes = bavail * bsize;
    if (freeBytes >= diskReserveBytes + blockBytes) return;
    throw fault('LEDGER_DISK_FULL', { path: dir, freeBytes, diskReserveBytes });
  }
}

export function isSameBlock(a: Block, b: Block): boolean {
  if (a.header === undefined || b.header === undefined) return false;
  return equalBytes(headerHash(a.header), headerHash(b.header));
}
