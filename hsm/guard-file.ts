import {
  closeSync,
  constants,
  fdatasync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readSync,
  renameSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import type { Fault } from '#base';
import { concatBytes, isDiskFull, limits, syncDirectory } from '#base';
import { fault } from './faults.ts';
import { encodeRecord, recordBytes } from './guard-record.ts';
import type { GuardRecord } from './guard-record.ts';
import { GuardState } from './guard-state.ts';

const sync = promisify(fdatasync);

/**
 * The append-only file of guard records. Records are appended, synced and then read back: the order
 * in the file, which the kernel decides, is what every process that writes to it goes by.
 */
export class GuardFile {
  readonly #path: string;
  #descriptor: number;
  #state = new GuardState();
  /** Bytes of the file that were read. */
  #readBytes = 0;
  #failure: Fault | undefined;

  private constructor(path: string) {
    this.#path = path;
    this.#descriptor = openFile(path);
  }

  /**
   * Opens or makes the file; what a crash cut short stays until {@link mend}.
   *
   * @throws HSM_GUARD_UNREADABLE, HSM_GUARD_CORRUPT
   */
  static open(path: string): GuardFile {
    const file = new GuardFile(path);
    try {
      file.#readOn();
      return file;
    } catch (error) {
      file.close();
      throw error;
    }
  }

  get state(): GuardState {
    return this.#state;
  }

  get failure(): Fault | undefined {
    return this.#failure;
  }

  /** From now on nothing is written, and every call throws this. */
  fail(reason: Fault): Fault {
    this.#failure ??= reason;
    return this.#failure;
  }

  /** Takes back a failure that was found in what others said, not in the file itself. */
  forgive(code: string): void {
    if (this.#failure?.code === code) this.#failure = undefined;
  }

  /**
   * Removes a record whose writing a crash cut short, and completes a rewriting that one interrupted.
   * What a former holder wrote since the opening, stopped until then, is read and stays.
   */
  mend(): void {
    this.#guarded(() => {
      const tornBytes = this.#readOn();
      const { size } = fstatSync(this.#descriptor);
      const unreadBytes = size - this.#readBytes;
      // Below 0 the last record counts, and lacks its end mark.
      const isTorn = unreadBytes < 0 || (unreadBytes > 0 && unreadBytes === tornBytes);
      if (isTorn) ftruncateSync(this.#descriptor, this.#readBytes);
      // A killed process leaves records in the page cache that the disk has not seen.
      if (size > 0) fsyncSync(this.#descriptor);
      if (this.#state.isMoved) this.#replace();
    });
  }

  /**
   * Returns when the records are on the disk and everything before them was read.
   *
   * @param records all of one epoch; what they mean is in `state` afterwards, if they counted.
   * @throws HSM_GUARD_FULL nothing was recorded, later it may be; HSM_GUARD_READONLY, HSM_GUARD_FENCED
   *   from now on.
   */
  async append(records: readonly GuardRecord[]): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    const before = this.#readBytes;
    this.#write(concatBytes(...this.#encode(records)));
    try {
      await sync(this.#descriptor);
    } catch (cause) {
      // The kernel forgets which pages it lost: a second try would lie.
      throw this.#giveUp(cause);
    }
    this.#guarded(() => this.#readOn());
    this.#guarded(() => this.#checkNamed());
    const written = this.#readBytes - before;
    if (written < records.length * recordBytes) throw this.#giveUp(new Error('not read back'));
  }

  /** Reads what others wrote. @throws HSM_GUARD_READONLY from now on. */
  look(): void {
    this.#guarded(() => this.#readOn());
  }

  /** Whether the file has grown long enough to be written anew. */
  get isLong(): boolean {
    return this.#readBytes >= limits.guardRecordsMax * recordBytes;
  }

  /** Writes the file anew with what counts; the file's last record said so to all who have it open. */
  replace(): void {
    this.#guarded(() => this.#replace());
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  #encode(records: readonly GuardRecord[]): Uint8Array[] {
    const { sequence } = this.#state;
    return records.map((record, index) => encodeRecord(record, sequence + BigInt(index) + 1n));
  }

  /** Reads what is new. @returns the length of a tail that no record can be made of; it is left. */
  #readOn(): number {
    const tail = this.#readTail();
    const { bytes, isSound } = this.#state.read(tail);
    this.#readBytes += bytes;
    if (!isSound) throw this.#corrupt();
    return tail.length - bytes;
  }

  /** Whoever succeeded a holder may have written the file anew; what is open then is read by nobody. */
  #checkNamed(): void {
    if (fstatSync(this.#descriptor).ino === statSync(this.#path).ino) return;
    throw this.fail(fault('HSM_GUARD_FENCED', { file: this.#path }));
  }

  #readTail(): Buffer {
    try {
      const start = this.#readBytes;
      const bytes = Buffer.alloc(Math.max(0, fstatSync(this.#descriptor).size - start));
      let done = 0;
      while (done < bytes.length) {
        const count = readSync(this.#descriptor, bytes, done, bytes.length - done, start + done);
        if (count === 0) break;
        done += count;
      }
      return bytes.subarray(0, done);
    } catch (cause) {
      throw fault('HSM_GUARD_UNREADABLE', { file: this.#path }, cause);
    }
  }

  #write(bytes: Uint8Array): void {
    const start = fstatSync(this.#descriptor).size;
    try {
      // Opened for appending: the kernel puts one write behind whatever anybody wrote before.
      const count = writeSync(this.#descriptor, bytes);
      if (count !== bytes.length) throw Object.assign(new Error('cut short'), { code: 'ENOSPC' });
    } catch (cause) {
      if (!isDiskFull(cause)) throw this.#giveUp(cause);
      // Half a record in the middle of the file would later look like corruption.
      if (fstatSync(this.#descriptor).size > start) {
        this.#guarded(() => ftruncateSync(this.#descriptor, start));
      }
      throw fault('HSM_GUARD_FULL', { file: this.#path }, cause);
    }
  }

  #replace(): void {
    const { epoch, holder, marks, sequence } = this.#state;
    const records: GuardRecord[] = [
      { kind: 'epoch', epoch, channel: '', number: 0n, headerHash: Buffer.from(holder, 'hex') },
      ...marks.map((mark): GuardRecord => ({ ...mark, kind: 'floor', epoch })),
    ];
    const fresh = `${this.#path}.new`;
    const descriptor = openSync(fresh, 'w', 0o600);
    for (const [index, record] of records.entries()) {
      writeSync(descriptor, encodeRecord(record, sequence + BigInt(index) + 1n));
    }
    fsyncSync(descriptor);
    closeSync(descriptor);
    this.#checkNamed();
    renameSync(fresh, this.#path);
    syncDirectory(dirname(this.#path));
    closeSync(this.#descriptor);
    this.#descriptor = openFile(this.#path);
    this.#state = new GuardState();
    this.#readBytes = 0;
    this.#readOn();
  }

  #guarded(act: () => void): void {
    try {
      act();
    } catch (cause) {
      throw this.#giveUp(cause);
    }
  }

  #giveUp(cause: unknown): Fault {
    return this.fail(fault('HSM_GUARD_READONLY', { file: this.#path }, cause));
  }

  #corrupt(): Fault {
    return fault('HSM_GUARD_CORRUPT', { file: this.#path, offset: this.#readBytes });
  }
}

/** Opens the file that has the name now; one that is just being written anew is waited for. */
function openFile(path: string): number {
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_APPEND;
  try {
    for (;;) {
      const descriptor = openSync(path, flags, 0o600);
      syncDirectory(dirname(path));
      if (fstatSync(descriptor).ino === statSync(path).ino) return descriptor;
      closeSync(descriptor);
    }
  } catch (cause) {
    throw fault('HSM_GUARD_UNREADABLE', { file: path }, cause);
  }
}
