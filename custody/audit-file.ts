import {
  closeSync,
  constants,
  fdatasync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { concatBytes, isDiskFull, limits, syncDirectory, utf8 } from '#base';
import type { Clock, Fault } from '#base';
import { auditStart, parseAuditLine, writeAuditLine } from './audit-record.ts';
import type { AuditRecord, LogHead } from './audit-record.ts';
import { fault } from './faults.ts';

const sync = promisify(fdatasync);

/**
 * The log of everything that was done with keys, one line a record, each naming the one before by its hash.
 * It fails closed: once a record could not be written, every further one is refused, and with it
 * what it would have recorded.
 */
export class AuditFile implements Disposable {
  readonly #path: string;
  readonly #clock: Clock;
  readonly #descriptor: number;
  #bytes = 0;
  #sequence = 0;
  #timeMs = 0;
  #hash: string;
  #failure: Fault | undefined;
  /** The first record may continue what stands in another file. */
  readonly #continues: boolean;
  readonly #aheadBytes: number;
  /** Up to where the disk has room set aside for the file: zeros, where no record is yet. */
  #roomBytes = 0;

  /**
   * Opens or makes a log, and forgets a line whose writing a crash cut short.
   *
   * @param log its name, part of what its checkpoints sign.
   * @param onRecord hears every record there is, oldest first.
   * @param after for a file that is made now and goes on after this record; `unknown` for one that was.
   * @param aheadBytes of zeros that are written ahead: a sync then has no new length to write, which
   *   is a quarter of its time. They go when the file is closed or opened again.
   * @throws CUSTODY_AUDIT_BROKEN the end of the file does not hold together, or it cannot be read.
   */
  constructor(options: {
    path: string;
    log: string;
    clock: Clock;
    onRecord?: (record: AuditRecord) => void;
    after?: LogHead | 'unknown';
    aheadBytes?: number;
  }) {
    const { path, clock, log, after, aheadBytes = 0 } = options;
    this.#aheadBytes = aheadBytes;
    this.#path = path;
    this.#clock = clock;
    this.#continues = after === 'unknown';
    const start = { sequence: 0, hash: auditStart(log), timeMs: 0 };
    const from = typeof after === 'object' ? after : start;
    ({ sequence: this.#sequence, hash: this.#hash, timeMs: this.#timeMs } = from);
    const isNew = typeof after === 'object' ? constants.O_EXCL : 0;
    try {
      this.#descriptor = openSync(path, constants.O_RDWR | constants.O_CREAT | isNew, 0o600);
    } catch (cause) {
      throw fault('CUSTODY_AUDIT_BROKEN', { file: this.#path }, cause);
    }
    try {
      this.#recover(options.onRecord ?? (() => {}));
    } catch (error) {
      closeSync(this.#descriptor);
      throw error;
    }
  }

  /** The newest record: number, hash and time; the log's start when there is none. */
  get head(): LogHead {
    return { sequence: this.#sequence, hash: this.#hash, timeMs: this.#timeMs };
  }

  /** Length of the file. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Why nothing is written any more. */
  get failure(): Fault | undefined {
    return this.#failure;
  }

  /** From now on nothing is written, and every call throws this. */
  fail(reason: Fault): Fault {
    this.#failure ??= reason;
    return this.#failure;
  }

  /**
   * Writes one record. The caller acts after it returns, never before.
   *
   * @param durable whether it has to be on the disk, not only with the kernel: a power cut takes
   *   what was not, together with whatever else was not on a disk yet. See {@link sync}.
   * @param timeMs the clock as whoever decided on the step has read it.
   * @returns the record as it will be read again.
   * @throws CUSTODY_CLOCK_TURNED_BACK, CUSTODY_AUDIT_FULL, CUSTODY_DOCUMENT_TOO_LARGE nothing was
   *   written; CUSTODY_AUDIT_READONLY from now on.
   */
  append(
    event: string,
    facts: Readonly<Record<string, string>>,
    { durable = true, timeMs = this.#clock.nowMs() } = {},
  ): AuditRecord {
    if (this.#failure !== undefined) throw this.#failure;
    if (timeMs + limits.auditClockSlackMs < this.#timeMs) {
      throw fault('CUSTODY_CLOCK_TURNED_BACK', { timeMs, lastTimeMs: this.#timeMs });
    }
    const record = {
      sequence: this.#sequence + 1,
      // Clocks are corrected by some milliseconds all the time; the log only ever goes forward.
      timeMs: Math.max(timeMs, this.#timeMs),
      event,
      facts: { ...facts },
      previous: this.#hash,
    };
    const { line, hash } = writeAuditLine(record);
    if (line.length > limits.custodyDocumentBytesMax) {
      throw fault('CUSTODY_DOCUMENT_TOO_LARGE', { what: event, bytes: line.length });
    }
    this.#write(concatBytes(line, utf8('\n')));
    if (durable) this.#guarded(() => fdatasyncSync(this.#descriptor));
    this.#sequence = record.sequence;
    this.#timeMs = record.timeMs;
    this.#hash = hash;
    return { ...record, hash };
  }

  /**
   * Returns when every record that was appended before the call is on the disk.
   *
   * @throws CUSTODY_AUDIT_READONLY from now on.
   */
  async sync(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      await sync(this.#descriptor);
    } catch (cause) {
      // The kernel forgets which pages it lost: a second try would lie.
      throw this.#giveUp(cause);
    }
  }

  close(): void {
    try {
      if (this.#roomBytes > this.#bytes) ftruncateSync(this.#descriptor, this.#bytes);
    } catch {
      // The zeros stay until the file is opened again; they say nothing.
    }
    closeSync(this.#descriptor);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #recover(onRecord: (record: AuditRecord) => void): void {
    for (const line of this.#lines()) {
      let record;
      try {
        record = parseAuditLine(line);
      } catch (cause) {
        throw fault(
          'CUSTODY_AUDIT_BROKEN',
          { file: this.#path, sequence: this.#sequence + 1 },
          cause,
        );
      }
      if (!this.#follows(record)) {
        throw fault('CUSTODY_AUDIT_BROKEN', { file: this.#path, sequence: record.sequence });
      }
      this.#sequence = record.sequence;
      this.#timeMs = record.timeMs;
      this.#hash = record.hash;
      onRecord(record);
    }
    if (this.#aheadBytes > 0) this.#checkTorn();
    try {
      // Only a last line without its end can be a write that was cut short; nothing was done on it.
      if (fstatSync(this.#descriptor).size !== this.#bytes)
        ftruncateSync(this.#descriptor, this.#bytes);
      fsyncSync(this.#descriptor);
      syncDirectory(dirname(this.#path));
    } catch (cause) {
      throw fault('CUSTODY_AUDIT_BROKEN', { file: this.#path }, cause);
    }
  }

  /**
   * Where zeros were written ahead, what a crash kept from the disk are zeros in a line. Lines behind it
   * were not confirmed either, but those are few: many of them are damage.
   */
  #checkTorn(): void {
    const rest = Buffer.alloc(fstatSync(this.#descriptor).size - this.#bytes);
    this.#read(rest, this.#bytes);
    const lines = rest.filter((byte) => byte === newline).length;
    if (lines <= limits.auditUnsyncedLinesMax) return;
    throw fault('CUSTODY_AUDIT_BROKEN', { file: this.#path, sequence: this.#sequence + 1 });
  }

  #follows({ sequence, previous }: AuditRecord): boolean {
    // The log's own first record has nothing to continue.
    if (this.#continues && this.#bytes === 0 && sequence > 1) return true;
    return sequence === this.#sequence + 1 && previous === this.#hash;
  }

  /** Every whole line, without its newline; `#bytes` follows. */
  *#lines(): Generator<Uint8Array> {
    const chunk = Buffer.alloc(limits.custodyDocumentBytesMax);
    let rest: Uint8Array = new Uint8Array(0);
    for (let position = 0; ;) {
      const count = this.#read(chunk, position);
      if (count === 0) return;
      position += count;
      rest = concatBytes(rest, chunk.subarray(0, count));
      for (let end = rest.indexOf(newline); end !== -1; end = rest.indexOf(newline)) {
        const line = rest.subarray(0, end);
        if (this.#aheadBytes > 0 && line.includes(0)) return;
        yield line;
        this.#bytes += end + 1;
        rest = rest.subarray(end + 1);
      }
      if (this.#aheadBytes > 0 && rest.includes(0)) return;
      if (rest.length > limits.custodyDocumentBytesMax) {
        throw fault('CUSTODY_AUDIT_BROKEN', { file: this.#path, sequence: this.#sequence + 1 });
      }
    }
  }

  #read(chunk: Buffer, position: number): number {
    try {
      return readSync(this.#descriptor, chunk, 0, chunk.length, position);
    } catch (cause) {
      throw fault('CUSTODY_AUDIT_BROKEN', { file: this.#path }, cause);
    }
  }

  #write(bytes: Uint8Array): void {
    try {
      for (let done = 0; done < bytes.length;) {
        done += writeSync(this.#descriptor, bytes, done, bytes.length - done, this.#bytes + done);
      }
    } catch (cause) {
      if (!isDiskFull(cause)) throw this.#giveUp(cause);
      // Half a line would be taken for a part of the next one.
      this.#guarded(() => ftruncateSync(this.#descriptor, this.#bytes));
      this.#roomBytes = this.#bytes;
      throw fault('CUSTODY_AUDIT_FULL', { file: this.#path }, cause);
    }
    this.#bytes += bytes.length;
    if (this.#bytes > this.#roomBytes && this.#aheadBytes > 0) this.#makeRoom();
  }

  #makeRoom(): void {
    this.#roomBytes = this.#bytes;
    try {
      const zeros = new Uint8Array(this.#aheadBytes);
      this.#roomBytes += writeSync(this.#descriptor, zeros, 0, zeros.length, this.#bytes);
    } catch (cause) {
      // Without room for zeros there may still be some for records.
      if (!isDiskFull(cause)) throw this.#giveUp(cause);
    }
  }

  #guarded(act: () => void): void {
    try {
      act();
    } catch (cause) {
      throw this.#giveUp(cause);
    }
  }

  #giveUp(cause: unknown): Fault {
    return this.fail(fault('CUSTODY_AUDIT_READONLY', { file: this.#path }, cause));
  }
}

const newline = 0x0a;
