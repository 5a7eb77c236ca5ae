import {
  closeSync,
  constants,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readSync,
  renameSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import type { Fault } from '#base';
import { limits } from '#base';
import { fault } from './faults.ts';
import { encodeRecord, readRecord, recordBytes } from './guard-record.ts';
import type { GuardRecord } from './guard-record.ts';

/** An append-only file of guard records; append returns when the record is on the disk. */
export class GuardFile {
  readonly #path: string;
  #descriptor: number;
  #records = 0;
  #sequence = 0n;
  #failure: Fault | undefined;

  /**
   * Opens or makes the file and forgets a record whose writing a crash cut short.
   *
   * @param onRecord hears every record, in the order they were written.
   * @throws HSM_GUARD_UNREADABLE, HSM_GUARD_CORRUPT
   */
  constructor(path: string, onRecord: (record: GuardRecord) => void) {
    this.#path = path;
    try {
      this.#descriptor = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
      syncDirectory(path);
    } catch (cause) {
      throw fault('HSM_GUARD_UNREADABLE', { file: path }, cause);
    }
    try {
      this.#recover(onRecord);
    } catch (error) {
      closeSync(this.#descriptor);
      throw error;
    }
  }

  /**
   * @param latest the newest record of every channel, for writing a file that grew long anew.
   * @throws HSM_GUARD_FULL nothing was recorded, later it may be; HSM_GUARD_READONLY from now on.
   */
  append(record: GuardRecord, latest: () => Iterable<GuardRecord>): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#records >= limits.guardRecordsMax) this.#guarded(() => this.#rewrite([...latest()]));
    this.#write(encodeRecord(record, this.#sequence + 1n));
    // After a failed sync the kernel forgets which pages it lost: a second try would lie.
    this.#guarded(() => fdatasyncSync(this.#descriptor));
    this.#records += 1;
    this.#sequence += 1n;
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  #recover(onRecord: (record: GuardRecord) => void): void {
    const bytes = this.#readAll();
    let offset = 0;
    for (; offset < bytes.length; offset += recordBytes) {
      const reading = readRecord(bytes.subarray(offset, offset + recordBytes));
      if (reading === 'torn' && offset + recordBytes >= bytes.length) break;
      if (typeof reading === 'string') throw this.#corrupt(offset);
      if (this.#records > 0 && reading.sequence !== this.#sequence + 1n)
        throw this.#corrupt(offset);
      this.#records += 1;
      this.#sequence = reading.sequence;
      onRecord(reading.record);
    }
    const wholeBytes = this.#records * recordBytes;
    this.#guarded(() => {
      if (bytes.length !== wholeBytes) ftruncateSync(this.#descriptor, wholeBytes);
      // A killed process leaves records in the page cache that the disk has not seen.
      if (bytes.length > 0) fsyncSync(this.#descriptor);
    });
  }

  #readAll(): Buffer {
    try {
      const bytes = Buffer.alloc(fstatSync(this.#descriptor).size);
      let offset = 0;
      while (offset < bytes.length) {
        const count = readSync(this.#descriptor, bytes, offset, bytes.length - offset, offset);
        if (count === 0) break;
        offset += count;
      }
      return bytes.subarray(0, offset);
    } catch (cause) {
      throw fault('HSM_GUARD_UNREADABLE', { file: this.#path }, cause);
    }
  }

  #write(bytes: Uint8Array): void {
    const start = this.#records * recordBytes;
    try {
      this.#writeAt(bytes, start);
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException;
      if (code !== 'ENOSPC' && code !== 'EDQUOT') throw this.#giveUp(cause);
      // Half a record in the middle of the file would later look like corruption.
      if (fstatSync(this.#descriptor).size > start) {
        this.#guarded(() => ftruncateSync(this.#descriptor, start));
      }
      throw fault('HSM_GUARD_FULL', { file: this.#path }, cause);
    }
  }

  #writeAt(bytes: Uint8Array, start: number): void {
    let offset = 0;
    while (offset < bytes.length) {
      offset += writeSync(this.#descriptor, bytes, offset, bytes.length - offset, start + offset);
    }
  }

  #rewrite(records: readonly GuardRecord[]): void {
    const fresh = `${this.#path}.new`;
    const descriptor = openSync(fresh, 'w+', 0o600);
    let sequence = this.#sequence - BigInt(records.length);
    for (const record of records) {
      sequence += 1n;
      writeSync(descriptor, encodeRecord(record, sequence));
    }
    fsyncSync(descriptor);
    renameSync(fresh, this.#path);
    syncDirectory(this.#path);
    closeSync(this.#descriptor);
    this.#descriptor = descriptor;
    this.#records = records.length;
  }

  #guarded(act: () => void): void {
    try {
      act();
    } catch (cause) {
      throw this.#giveUp(cause);
    }
  }

  #giveUp(cause: unknown): Fault {
    this.#failure = fault('HSM_GUARD_READONLY', { file: this.#path }, cause);
    return this.#failure;
  }

  #corrupt(offset: number): Fault {
    return fault('HSM_GUARD_CORRUPT', { file: this.#path, offset });
  }
}

function syncDirectory(file: string): void {
  const directory = openSync(dirname(file), 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}
