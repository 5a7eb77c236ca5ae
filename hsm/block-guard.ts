import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { GroupCommit, equalBytes, limits, toHex } from '#base';
import type { Fault, Submitted } from '#base';
import { fault } from './faults.ts';
import { GuardFile } from './guard-file.ts';
import { announceHolder, isHolderHere } from './guard-holder.ts';
import type { BlockMark, GuardRecord } from './guard-record.ts';

/** A block that wants to be signed; all hashes are of 32 bytes, `previousHash` empty for block 0. */
export interface GuardedBlock extends BlockMark {
  readonly previousHash: Uint8Array;
}

/**
 * A counter that nobody can turn back, such as a TPM's: it counts the guard's epochs.
 * It is raised once per holder and once per some thousand blocks, which spares its wear.
 */
export interface EpochAnchor {
  /** The epoch it stands at. */
  read(): Promise<bigint>;
  /** Raises it by one. @returns where it stands then. */
  increment(): Promise<bigint>;
}

/**
 * Allows one block per channel and height, and remembers it across crashes.
 * Two signed blocks at one height would split the peers for ever.
 *
 * Blocks that come while a record is being written wait for the next writing, together. Several
 * guards may meet on one file: each epoch has one holder, and whoever was succeeded learns it from
 * the file before it allows another block.
 */
export class BlockGuard implements AsyncDisposable {
  readonly #file: GuardFile;
  readonly #holder: Uint8Array;
  readonly #presence: { release(): Promise<void> };
  readonly #anchor: EpochAnchor | undefined;
  readonly #commits = new GroupCommit<GuardedBlock>(limits.guardBatchMax, (group) =>
    this.#commit(group),
  );
  #recordsOfEpoch = 0;
  /** Of each channel the newest block with our signature that is not on record. */
  readonly #unrecorded = new Map<string, BlockMark>();

  readonly #fenced = Promise.withResolvers<Fault>();

  private constructor(
    file: GuardFile,
    holder: Uint8Array,
    presence: { release(): Promise<void> },
    anchor: EpochAnchor | undefined,
  ) {
    this.#file = file;
    this.#holder = holder;
    this.#presence = presence;
    this.#anchor = anchor;
  }

  /**
   * Succeeds whoever held the guard before; one that still answers is not succeeded.
   *
   * @param stateDir on a local disk, one signer host's own; the record is its file `blocks.guard`.
   * @param options.whenHeld is done before the first epoch begins, when nobody else holds the guard.
   * @throws HSM_GUARD_LOCKED, HSM_GUARD_UNREADABLE, HSM_GUARD_CORRUPT, HSM_GUARD_FULL,
   *   HSM_GUARD_READONLY, HSM_GUARD_ROLLED_BACK the file is older than the anchor.
   */
  static async open(
    stateDir: string,
    { anchor, whenHeld }: { anchor?: EpochAnchor | undefined; whenHeld?: () => Promise<void> } = {},
  ): Promise<BlockGuard> {
    await using undo = new AsyncDisposableStack();
    const file = undo.adopt(GuardFile.open(join(stateDir, 'blocks.guard')), (one) => one.close());
    const { holder: before } = file.state;
    if (before !== '' && (await isHolderHere(stateDir, before))) {
      throw fault('HSM_GUARD_LOCKED', { dir: stateDir });
    }
    file.mend();
    const holder = new Uint8Array(randomBytes(32));
    const presence = undo.adopt(await announceHolder(stateDir, toHex(holder)), (one) =>
      one.release(),
    );
    await whenHeld?.();
    const guard = new BlockGuard(file, holder, presence, anchor);
    await guard.#beginEpoch();
    undo.move();
    return guard;
  }

  /** The newest block of every channel. */
  get marks(): readonly BlockMark[] {
    return this.#file.state.marks;
  }

  /** Why it allows nothing any more; undefined while it does. */
  get failure(): Fault | undefined {
    return this.#file.failure;
  }

  /** Why nothing of this host may go on, once another one has succeeded it. */
  get fenced(): Promise<Fault> {
    return this.#fenced.promise;
  }

  /** Looks whether another host has succeeded this one. @throws HSM_GUARD_FENCED, HSM_GUARD_READONLY */
  look(): Promise<void> {
    return this.#commits.alone(async () => {
      this.#file.look();
      this.#checkHolder();
    });
  }

  /**
   * Returns when the block is on record and may be signed; the same block may come again.
   *
   * @throws HSM_BLOCK_CONFLICT, HSM_BLOCK_PAST, HSM_BLOCK_GAP, HSM_GUARD_FULL;
   *   HSM_GUARD_READONLY, HSM_GUARD_FENCED, HSM_GUARD_ROLLED_BACK from now on.
   */
  allow(block: GuardedBlock): Promise<void> {
    return this.#commits.submit(block);
  }

  /**
   * Hears of a block that carries this zone's own signature, from the ledger or from a peer. One that is
   * not on record was signed before the record was turned back: nothing is signed from then on.
   *
   * @throws HSM_GUARD_ROLLED_BACK
   */
  witness(seen: BlockMark): void {
    const last = this.#file.state.latestOf(seen.channel);
    const isKnown =
      last !== undefined &&
      (seen.number < last.number ||
        (seen.number === last.number && equalBytes(seen.headerHash, last.headerHash)));
    if (isKnown) return;
    const higher = this.#unrecorded.get(seen.channel);
    if (higher === undefined || higher.number < seen.number) {
      this.#unrecorded.set(seen.channel, seen);
    }
    const detail = { channel: seen.channel, number: seen.number, last: last?.number };
    throw this.#file.fail(fault('HSM_GUARD_ROLLED_BACK', detail));
  }

  /**
   * Takes over marks that operators vouch for; none is lowered. When they reach every block that the
   * record was found to lack, the guard goes on.
   *
   * @throws HSM_BLOCK_CONFLICT two different blocks of one height; nothing was recorded.
   *   HSM_GUARD_ROLLED_BACK they do not reach so far; any other failure of the guard stays.
   */
  raise(marks: readonly BlockMark[]): Promise<void> {
    return this.#commits.alone(() => this.#raise(marks));
  }

  async #raise(marks: readonly BlockMark[]): Promise<void> {
    const higher = this.#file.state.raisedBy(marks);
    this.#forgive(higher);
    await this.#record('floor', [...higher.values()]);
  }

  #forgive(marks: ReadonlyMap<string, BlockMark>): void {
    const unrecorded = [...this.#unrecorded.values()];
    const isReached = unrecorded.every(({ channel, number, headerHash }) => {
      const mark = marks.get(channel);
      const isOther = mark?.number === number && !equalBytes(mark.headerHash, headerHash);
      if (isOther) throw fault('HSM_BLOCK_CONFLICT', { channel, number });
      return mark !== undefined && mark.number >= number;
    });
    if (unrecorded.length === 0 || !isReached) return;
    this.#unrecorded.clear();
    this.#file.forgive('HSM_GUARD_ROLLED_BACK');
  }

  /**
   * Begins another epoch, so that the anchor counts up.
   *
   * @throws HSM_ANCHOR_UNREADABLE, HSM_GUARD_…
   */
  renew(): Promise<void> {
    return this.#commits.alone(async () => {
      if (this.#file.failure !== undefined) throw this.#file.failure;
      if (this.#anchor !== undefined) await this.#beginEpoch();
    });
  }

  async close(): Promise<void> {
    await this.#commits.idle();
    this.#file.close();
    await this.#presence.release();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #commit(group: readonly Submitted<GuardedBlock>[]): Promise<void> {
    const fresh = new Map<string, BlockMark>();
    const records: BlockMark[] = [];
    const allowed: Submitted<GuardedBlock>[] = [];
    for (const waiting of group) {
      const block = waiting.item;
      try {
        if (this.#file.failure !== undefined) throw this.#file.failure;
        const last = fresh.get(block.channel) ?? this.#file.state.latestOf(block.channel);
        if (decide(block, last) === 'new') {
          const { channel, number } = block;
          const mark = { channel, number, headerHash: Uint8Array.from(block.headerHash) };
          fresh.set(channel, mark);
          records.push(mark);
        }
        allowed.push(waiting);
      } catch (error) {
        waiting.reject(error);
      }
    }
    await this.#record('block', records).then(
      () => allowed.forEach(({ resolve }) => resolve()),
      (error: unknown) => allowed.forEach(({ reject }) => reject(error)),
    );
  }

  async #record(kind: 'block' | 'floor', marks: readonly BlockMark[]): Promise<void> {
    if (this.#file.failure !== undefined) throw this.#file.failure;
    if (marks.length === 0) return;
    if (this.#file.isLong) await this.#rewrite();
    const isWorn = this.#recordsOfEpoch + marks.length > limits.guardRecordsPerEpochMax;
    if (this.#anchor !== undefined && isWorn) await this.#beginEpoch();
    const { epoch } = this.#file.state;
    await this.#append(marks.map((mark): GuardRecord => ({ ...mark, kind, epoch })));
    this.#recordsOfEpoch += marks.length;
  }

  async #rewrite(): Promise<void> {
    const { epoch } = this.#file.state;
    await this.#append([{ ...nothing, kind: 'moved', epoch }]);
    this.#file.replace();
  }

  /** The file first, then the anchor: the anchor is never ahead of a file that a crash left. */
  async #beginEpoch(): Promise<void> {
    const anchored = await this.#anchoredEpoch();
    const epoch = (anchored ?? this.#file.state.epoch) + 1n;
    const record: GuardRecord = { ...nothing, kind: 'epoch', epoch, headerHash: this.#holder };
    await this.#append([record]);
    if (this.#anchor !== undefined && (await this.#anchor.increment()) !== epoch) {
      throw this.#file.fail(fault('HSM_GUARD_ROLLED_BACK', { epoch }));
    }
    this.#recordsOfEpoch = 0;
  }

  async #anchoredEpoch(): Promise<bigint | undefined> {
    if (this.#anchor === undefined) return undefined;
    const { epoch } = this.#file.state;
    const anchored = await this.#anchor.read();
    if (epoch === anchored) return anchored;
    // A crash came between the two: what was written of that epoch is nothing but its beginning.
    if (epoch === anchored + 1n) return this.#anchor.increment();
    throw this.#file.fail(fault('HSM_GUARD_ROLLED_BACK', { epoch, anchored }));
  }

  async #append(records: readonly GuardRecord[]): Promise<void> {
    await this.#file.append(records);
    this.#checkHolder(records.at(-1)?.epoch);
  }

  #checkHolder(epochWanted = this.#file.state.epoch): void {
    const { holder, epoch } = this.#file.state;
    if (holder === toHex(this.#holder) && epoch === epochWanted) return;
    const reason = fault('HSM_GUARD_FENCED', { epoch });
    this.#fenced.resolve(reason);
    throw this.#file.fail(reason);
  }
}

const nothing = { channel: '', number: 0n, headerHash: new Uint8Array(32) };

/** @throws HSM_BLOCK_CONFLICT, HSM_BLOCK_PAST, HSM_BLOCK_GAP */
function decide(block: GuardedBlock, last: BlockMark | undefined): 'new' | 'known' {
  const { channel, number, headerHash, previousHash } = block;
  const detail = { channel, number, last: last?.number };
  if (last === undefined) {
    // Without its record a host must not take up a channel in the middle: see `raise`.
    if (number > 1n) throw fault('HSM_BLOCK_GAP', detail);
    return 'new';
  }
  if (number < last.number) throw fault('HSM_BLOCK_PAST', detail);
  if (number === last.number) {
    if (equalBytes(headerHash, last.headerHash)) return 'known';
    throw fault('HSM_BLOCK_CONFLICT', { ...detail, signed: toHex(last.headerHash) });
  }
  const follows = number === last.number + 1n && equalBytes(previousHash, last.headerHash);
  if (!follows) throw fault('HSM_BLOCK_GAP', detail);
  return 'new';
}
