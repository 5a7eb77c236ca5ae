import { equalBytes, toHex } from '#base';
import { fault } from './faults.ts';
import { readRecord, recordBytes } from './guard-record.ts';
import type { BlockMark, GuardRecord } from './guard-record.ts';

/** What the records of a guard file add up to; every holder that reads them comes to the same. */
export class GuardState {
  readonly #latest = new Map<string, BlockMark>();
  #sequence = 0n;
  #epoch = 0n;
  #holder = '';
  #isMoved = false;

  /** Number of the newest record that counts. */
  get sequence(): bigint {
    return this.#sequence;
  }

  get epoch(): bigint {
    return this.#epoch;
  }

  /** Who writes in this epoch: the hex of what the epoch's record carries; empty before the first. */
  get holder(): string {
    return this.#holder;
  }

  get isMoved(): boolean {
    return this.#isMoved;
  }

  latestOf(channel: string): BlockMark | undefined {
    return this.#latest.get(channel);
  }

  get marks(): readonly BlockMark[] {
    return [...this.#latest.values()];
  }

  /**
   * Of the marks of other guards those that are higher than its own, by channel: the order in which
   * guards hear of each other makes no difference.
   *
   * @throws HSM_BLOCK_CONFLICT two different blocks of one height.
   */
  raisedBy(marks: readonly BlockMark[]): ReadonlyMap<string, BlockMark> {
    const higher = new Map<string, BlockMark>();
    for (const mark of marks) {
      const { channel, number, headerHash } = mark;
      const last = higher.get(channel) ?? this.#latest.get(channel);
      if (last === undefined || number > last.number) higher.set(channel, mark);
      else if (number === last.number && !equalBytes(headerHash, last.headerHash)) {
        throw fault('HSM_BLOCK_CONFLICT', { channel, number });
      }
    }
    return higher;
  }

  /**
   * Takes the next records of the file; a tail that no record can be made of is left.
   *
   * @returns how many bytes were taken, and whether what follows them is none of a guard's.
   */
  read(tail: Uint8Array): { readonly bytes: number; readonly isSound: boolean } {
    let bytes = 0;
    for (; bytes < tail.length; bytes += recordBytes) {
      const reading = readRecord(tail.subarray(bytes, bytes + recordBytes));
      if (reading === 'torn' && bytes + recordBytes >= tail.length) break;
      const counts = typeof reading !== 'string' && this.apply(reading.record, reading.sequence);
      if (!counts) return { bytes, isSound: false };
    }
    return { bytes, isSound: true };
  }

  /**
   * Takes the next record of the file. One of a holder whose time was over counts for nobody:
   * it was appended by a process that had been stopped, and that finds out before it signs.
   *
   * @returns false when the record cannot follow those before it.
   */
  apply(record: GuardRecord, sequence: bigint): boolean {
    if (this.#isMoved || this.#isStale(record, sequence)) return true;
    if (this.#sequence !== 0n && sequence !== this.#sequence + 1n) return false;
    if (!this.#take(record)) return false;
    this.#sequence = sequence;
    return true;
  }

  #isStale({ kind, epoch }: GuardRecord, sequence: bigint): boolean {
    if (kind !== 'epoch') return epoch < this.#epoch;
    // Who begins an epoch without having read all before it does not know what was signed: it begins none.
    return epoch <= this.#epoch || sequence <= this.#sequence;
  }

  #take(record: GuardRecord): boolean {
    const { kind, epoch, channel, number, headerHash } = record;
    if (kind === 'epoch') {
      this.#epoch = epoch;
      this.#holder = toHex(headerHash);
      return true;
    }
    if (epoch !== this.#epoch) return false;
    if (kind === 'moved') {
      this.#isMoved = true;
      return true;
    }
    const last = this.#latest.get(channel);
    if (last !== undefined && !mayFollow(record, last)) return false;
    this.#latest.set(channel, { channel, number, headerHash });
    return true;
  }
}

function mayFollow(record: GuardRecord, last: BlockMark): boolean {
  if (record.kind === 'block') return record.number === last.number + 1n;
  const isSame = record.number === last.number && equalBytes(record.headerHash, last.headerHash);
  return record.number > last.number || isSame;
}
