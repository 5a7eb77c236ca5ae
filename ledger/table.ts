import type { Database, Transaction } from 'lmdb';
import { RecentEntries, removed } from './recent-entries.ts';
import type { RecentValue } from './recent-entries.ts';

/** LMDB's bound with pages of 4 KiB. */
export const storeKeyBytesMax = 1_978;

/**
 * A table on disk with its newest entries in memory, in front of it. Written one by one, random keys
 * cost a page of the disk each; together and in order, many of them share one. Keys are bytes as
 * Latin-1 text: that is what a Map finds fastest, and it sorts as the bytes do.
 */
export class Table {
  readonly #disk: Database<Buffer, Buffer>;
  readonly #recent = new RecentEntries();
  #pinned: { transaction?: Transaction } = {};

  constructor(disk: Database<Buffer, Buffer>) {
    this.#disk = disk;
  }

  /** Entries that are not on disk yet. */
  get lagEntries(): number {
    return this.#recent.size;
  }

  get lagBytes(): number {
    return this.#recent.bytes;
  }

  /** The disk is read in this transaction from now on, and not as it is then. */
  pin(transaction: Transaction): void {
    this.#pinned = { transaction };
  }

  get(key: string): Buffer | undefined {
    const recent = this.#recent.get(key);
    if (recent !== undefined) return recent === removed ? undefined : recent;
    return this.#disk.get(Buffer.from(key, 'latin1'), this.#pinned);
  }

  put(key: string, value: RecentValue): void {
    this.#recent.set(key, value);
  }

  /** Entries with start ≤ key < end, ascending bytewise. */
  *range(start: string, end: string): Generator<[key: string, value: Buffer]> {
    const recent = this.#recent.keys(start, end);
    let next = 0;
    for (const entry of this.#diskRange(start, end)) {
      const [key] = entry;
      for (; next < recent.length && recent[next]! < key; next += 1) {
        yield* this.#recentEntry(recent[next]!);
      }
      if (recent[next] !== key) yield entry;
    }
    for (; next < recent.length; next += 1) yield* this.#recentEntry(recent[next]!);
  }

  /** To be called inside a transaction of the disk; {@link forget} when it is committed. */
  flush(): void {
    for (const [key, value] of this.#recent.ascending()) {
      const bytes = Buffer.from(key, 'latin1');
      if (value === removed) this.#disk.removeSync(bytes);
      else this.#disk.putSync(bytes, value);
    }
  }

  forget(): void {
    this.#recent.clear();
  }

  *#diskRange(start: string, end: string): Generator<[key: string, value: Buffer]> {
    // A bound may be longer than any stored key: LMDB gets what it can take, the rest is here.
    const bound = Buffer.from(start.slice(0, storeKeyBytesMax), 'latin1');
    for (const entry of this.#disk.getRange({ start: bound, ...this.#pinned })) {
      const key = entry.key.toString('latin1');
      if (key >= end) return;
      if (key >= start) yield [key, entry.value];
    }
  }

  #recentEntry(key: string): [key: string, value: Buffer][] {
    const value = this.#recent.get(key);
    return value === undefined || value === removed ? [] : [[key, value]];
  }
}
