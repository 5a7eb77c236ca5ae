import type { Version } from '#formats';
import type { Store } from './store.ts';
import { storeKeyBytesMax } from './table.ts';

/** A key's committed value. */
export interface StateEntry {
  value: Uint8Array;
  version: Version;
  /** kvrwset.KVMetadataWrite bytes with entries only, as Fabric keeps them; absent: none. */
  metadata?: Uint8Array;
}

export type StateRow = StateEntry & { key: string };

/**
 * The world state as of the newest block in the tables.
 * Stored key: namespace 0x00 key in UTF-8, in bytewise order. Stored entry, big-endian: block u64 ‖
 * transaction u32 ‖ metadata length u32 ‖ metadata ‖ value.
 */
export class State {
  readonly #store: Pick<Store, 'state' | 'meta'>;
  /** By namespace, known for the block that the state stands at. */
  readonly #metadataSeen = new Map<string, boolean>();

  constructor(store: Pick<Store, 'state' | 'meta'>) {
    this.#store = store;
  }

  /** A block was applied: what was remembered of the state before may be wrong. */
  moved(): void {
    this.#metadataSeen.clear();
  }

  get(namespace: string, key: string): StateEntry | undefined {
    const stored = this.#read(namespace, key);
    return stored === undefined ? undefined : decodeStateEntry(stored);
  }

  version(namespace: string, key: string): Version | undefined {
    const stored = this.#read(namespace, key);
    return stored === undefined ? undefined : decodeVersion(stored);
  }

  /** Nearly no contract's keys have any: where none was ever written, no key is looked up for it. */
  metadata(namespace: string, key: string): Uint8Array | undefined {
    let seen = this.#metadataSeen.get(namespace);
    if (seen === undefined) {
      seen = this.#isMarked(metadataSeenKey(namespace)) || this.#isMarked(metadataSeenAnywhere);
      this.#metadataSeen.set(namespace, seen);
    }
    return seen ? this.get(namespace, key)?.metadata : undefined;
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
    if (from >= to) return;
    const prefixBytes = stateKey(namespace, '').length;
    for (const [at, value] of this.#store.state.range(from, to)) {
      const key = Buffer.from(at.slice(prefixBytes), 'latin1').toString('utf8');
      yield { key, ...decodeStateEntry(value) };
    }
  }

  /** At most `limit` rows of {@link scan}. */
  range(namespace: string, start: string, end: string, limit: number): StateRow[] {
    return this.scan(namespace, start, end).take(limit).toArray();
  }

  #isMarked(mark: string): boolean {
    return this.#store.meta.get(mark) !== undefined;
  }

  #read(namespace: string, key: string): Uint8Array | undefined {
    const at = stateKey(namespace, key);
    // Such a key was never let in, and LMDB throws at it.
    return at.length > storeKeyBytesMax ? undefined : this.#store.state.get(at);
  }
}

/** In the meta table: some key of the namespace has, or had, metadata. */
export function metadataSeenKey(namespace: string): string {
  return Buffer.from(`${metadataSeenAnywhere}\0${namespace}`, 'utf8').toString('latin1');
}

/** What tables say instead that were written before namespaces were told apart. */
const metadataSeenAnywhere = 'metadata';

export function stateKey(namespace: string, key: string): string {
  const text = `${namespace}\0${key}`;
  return isAscii(text) ? text : Buffer.from(text, 'utf8').toString('latin1');
}

/** Nearly all keys are: their UTF-8 has the very same characters. */
function isAscii(text: string): boolean {
  for (let index = 0; index < text.length; index += 1) {
    if (text.charCodeAt(index) > 0x7f) return false;
  }
  return true;
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
  // The tables' own Buffers, whose slice() is no copy either: none of them leaves this folder.
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
function keyAfter(namespace: string): string {
  return `${stateKey(namespace, '').slice(0, -1)}\x01`;
}
