import type { Transaction } from 'lmdb';
import type { Version } from '#formats';
import { storeKeyBytesMax } from './store.ts';
import type { Store } from './store.ts';

/** A key's committed value. */
export interface StateEntry {
  value: Uint8Array;
  version: Version;
  /** kvrwset.KVMetadataWrite bytes with entries only, as Fabric keeps them; absent: none. */
  metadata?: Uint8Array;
}

export type StateRow = StateEntry & { key: string };

/**
 * The world state as of the newest block, or of one pinned read transaction.
 * Stored key: namespace 0x00 key, in bytewise order. Stored entry, big-endian: block u64 ‖
 * transaction u32 ‖ metadata length u32 ‖ metadata ‖ value.
 */
export class State {
  readonly #store: Store;
  #transaction: Transaction | undefined;
  /** Known for the block that the state stands at. */
  #metadataSeen: boolean | undefined;

  constructor(store: Store) {
    this.#store = store;
  }

  /** Reads go through this transaction from now on; undefined: always the newest state. */
  pin(transaction: Transaction | undefined): void {
    this.#transaction = transaction;
  }

  /** A block was applied: what was remembered of the state before may be wrong. */
  moved(): void {
    this.#metadataSeen = undefined;
  }

  get(namespace: string, key: string): StateEntry | undefined {
    const stored = this.#read(namespace, key);
    return stored === undefined ? undefined : decodeStateEntry(stored);
  }

  version(namespace: string, key: string): Version | undefined {
    const stored = this.#read(namespace, key);
    return stored === undefined ? undefined : decodeVersion(stored);
  }

  /** Nearly no channel uses metadata: as long as none was ever written, no key is looked up for it. */
  metadata(namespace: string, key: string): Uint8Array | undefined {
    this.#metadataSeen ??= this.#store.meta.get(metadataSeenKey, this.#options()) !== undefined;
    return this.#metadataSeen ? this.get(namespace, key)?.metadata : undefined;
  }

  /**
   * Entries with start ≤ key < end, ascending bytewise.
   *
   * @param start empty: from the first key of the namespace.
   * @param end empty: to its last.
   */
  *scan(namespace: string, start: string, end: string): Generator<StateRow> {
    const from = stateKey(namespace, start);
    const to = end === '' ? keyAfter(namespace) : stateKey(namespace, end);
    if (Buffer.compare(from, to) >= 0) return;
    const prefixBytes = stateKey(namespace, '').length;
    // A bound may be longer than any stored key: LMDB gets what it can take, the rest is here.
    const bound = from.subarray(0, storeKeyBytesMax);
    for (const { key, value } of this.#store.state.getRange({ start: bound, ...this.#options() })) {
      if (Buffer.compare(key, to) >= 0) return;
      if (Buffer.compare(key, from) < 0) continue;
      yield { key: key.toString('utf8', prefixBytes), ...decodeStateEntry(value) };
    }
  }

  /** At most `limit` rows of {@link scan}. */
  range(namespace: string, start: string, end: string, limit: number): StateRow[] {
    return this.scan(namespace, start, end).take(limit).toArray();
  }

  #read(namespace: string, key: string): Uint8Array | undefined {
    const stateKeyBytes = stateKey(namespace, key);
    // Such a key was never let in, and LMDB throws at it.
    if (stateKeyBytes.length > storeKeyBytesMax) return undefined;
    return this.#store.state.get(stateKeyBytes, this.#options());
  }

  #options(): { transaction?: Transaction } {
    return this.#transaction === undefined ? {} : { transaction: this.#transaction };
  }
}

/** In the meta table: some key has, or had, metadata. */
export const metadataSeenKey = Buffer.from('metadata');

export function stateKey(namespace: string, key: string): Buffer {
  return Buffer.from(`${namespace}\0${key}`, 'utf8');
}

export function encodeStateEntry(entry: StateEntry): Buffer {
  const metadataBytes = entry.metadata?.length ?? 0;
  const stored = Buffer.allocUnsafe(headBytes + metadataBytes + entry.value.length);
  stored.writeBigUInt64BE(entry.version.blockNum, 0);
  stored.writeUInt32BE(Number(entry.version.txNum), 8);
  stored.writeUInt32BE(metadataBytes, 12);
  if (entry.metadata !== undefined) stored.set(entry.metadata, headBytes);
  stored.set(entry.value, headBytes + metadataBytes);
  return stored;
}

const headBytes = 16;

export function decodeStateEntry(stored: Uint8Array): StateEntry {
  const metadataEnd = headBytes + viewOf(stored).getUint32(12);
  // LMDB's buffers are Buffers, whose slice() is no copy: none of them leaves this folder.
  const value = Uint8Array.from(stored.subarray(metadataEnd));
  const entry: StateEntry = { version: decodeVersion(stored), value };
  if (metadataEnd > headBytes) {
    entry.metadata = Uint8Array.from(stored.subarray(headBytes, metadataEnd));
  }
  return entry;
}

function decodeVersion(stored: Uint8Array): Version {
  const view = viewOf(stored);
  return { blockNum: view.getBigUint64(0), txNum: BigInt(view.getUint32(8)) };
}

function viewOf(stored: Uint8Array): DataView {
  return new DataView(stored.buffer, stored.byteOffset, stored.length);
}

/** The first key behind all keys of a namespace. */
function keyAfter(namespace: string): Buffer {
  return Buffer.from(`${namespace}\x01`, 'utf8');
}
