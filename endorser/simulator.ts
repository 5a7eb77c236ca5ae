import { emptyBytes } from '#base';
import { compareKeys, encodeRwSet } from '#formats';
import type { KvMetadataWrite, RangeQueryInfo, Version } from '#formats';

/** What a simulation reads from: the world state at one height. */
export interface StateSource {
  get(namespace: string, key: string): StateEntry | undefined;
  /** Entries with start ≤ key < end, ascending bytewise; an empty end has no bound. */
  range(namespace: string, start: string, end: string, limit: number): StateRow[];
}

interface StateEntry {
  value: Uint8Array;
  version: Version;
}

type StateRow = StateEntry & { key: string };

type Write = { value: Uint8Array | undefined };

interface NamespaceChanges {
  reads: Map<string, Version | undefined>;
  ranges: RangeQueryInfo[];
  writes: Map<string, Write>;
  metadataWrites: KvMetadataWrite[];
}

interface Undo {
  namespace: string;
  key: string;
  /** What the write added to the output. */
  bytes: number;
  before: Write | undefined;
}

/** A version and the tags around it, at most. */
const versionBytes = 24;

/**
 * Runs a transaction against one height without touching it, and keeps what it read and wrote.
 * Several requests run one after the other in it, each after a savepoint. A request sees what
 * earlier ones wrote; such a read needs no entry in the read set, since it cannot go stale.
 */
export class Simulator {
  readonly #source: StateSource;
  readonly #namespaces = new Map<string, NamespaceChanges>();
  readonly #journal: Undo[] = [];
  #outputBytes = 0;

  constructor(source: StateSource) {
    this.#source = source;
  }

  /** About the size of the read-write set so far. */
  get outputBytes(): number {
    return this.#outputBytes;
  }

  get(namespace: string, key: string): Uint8Array | undefined {
    const changes = this.#changes(namespace);
    const own = changes.writes.get(key);
    if (own !== undefined) return own.value;
    const entry = this.#source.get(namespace, key);
    if (!changes.reads.has(key)) this.#outputBytes += key.length + versionBytes;
    changes.reads.set(key, entry?.version);
    return entry?.value;
  }

  /** @param value not empty: Fabric takes an empty value for a deletion. */
  put(namespace: string, key: string, value: Uint8Array): void {
    this.#write(namespace, key, { value });
  }

  delete(namespace: string, key: string): void {
    this.#write(namespace, key, { value: undefined });
  }

  /** Sets a key's metadata; no rollback undoes it, and no contract can do it. */
  putMetadata(namespace: string, write: KvMetadataWrite): void {
    this.#changes(namespace).metadataWrites.push(write);
  }

  /** Entries with start ≤ key < end, own writes included, `limit` at most. */
  range(namespace: string, start: string, end: string, limit: number): [string, Uint8Array][] {
    const changes = this.#changes(namespace);
    const rows = this.#source.range(namespace, start, end, limit + 1);
    const exhausted = rows.length <= limit;
    const seen = exhausted ? rows : rows.slice(0, limit);
    const lastSeen = seen.at(-1)?.key ?? start;
    changes.ranges.push({
      startKey: start,
      endKey: exhausted ? end : lastSeen,
      itrExhausted: exhausted,
      rawReads: { kvReads: seen.map(({ key, version }) => ({ key, version })) },
      readsMerkleHashes: undefined,
    });
    for (const { key } of seen) this.#outputBytes += key.length + versionBytes;
    const merged = new Map(seen.map(({ key, value }) => [key, value]));
    for (const [key, write] of changes.writes) {
      const inside =
        compareKeys(key, start) >= 0 &&
        (exhausted ? end === '' || compareKeys(key, end) < 0 : compareKeys(key, lastSeen) <= 0);
      if (!inside) continue;
      if (write.value === undefined) merged.delete(key);
      else merged.set(key, write.value);
    }
    return [...merged].sort(([a], [b]) => compareKeys(a, b)).slice(0, limit);
  }

  /** A mark to roll back to. */
  savepoint(): number {
    return this.#journal.length;
  }

  /** Undoes all writes since the mark; reads stay, because the refusal rests on them. */
  rollback(savepoint: number): void {
    while (this.#journal.length > savepoint) {
      const undo = this.#journal.pop() as Undo;
      const { writes } = this.#changes(undo.namespace);
      this.#outputBytes -= undo.bytes;
      if (undo.before === undefined) writes.delete(undo.key);
      else writes.set(undo.key, undo.before);
    }
  }

  /** rwset.TxReadWriteSet bytes. */
  readWriteSet(): Uint8Array {
    const namespaces = [...this.#namespaces].map(([namespace, changes]) => ({
      namespace,
      reads: [...changes.reads].map(([key, version]) => ({ key, version })),
      rangeQueries: changes.ranges,
      writes: [...changes.writes].map(([key, { value }]) => ({
        key,
        isDelete: value === undefined,
        value: value ?? emptyBytes,
      })),
      metadataWrites: changes.metadataWrites,
    }));
    return encodeRwSet({ namespaces });
  }

  #write(namespace: string, key: string, write: Write): void {
    const { writes } = this.#changes(namespace);
    const bytes = key.length + (write.value?.length ?? 0) + versionBytes;
    this.#journal.push({ namespace, key, bytes, before: writes.get(key) });
    this.#outputBytes += bytes;
    writes.set(key, write);
  }

  #changes(namespace: string): NamespaceChanges {
    let changes = this.#namespaces.get(namespace);
    if (changes === undefined) {
      changes = { reads: new Map(), ranges: [], writes: new Map(), metadataWrites: [] };
      this.#namespaces.set(namespace, changes);
    }
    return changes;
  }
}
