import { HashedRwSet, KvRwSet, TxReadWriteSet } from './fabric-rwset.ts';
import type { NsReadWriteSet } from './fabric-rwset.ts';
import type { NamespaceRwSet, ParsedRwSet } from './verdict.ts';

/**
 * Encodes a read-write set as Fabric's simulator would: namespaces and keys in bytewise order, so
 * that two endorsers that saw the same reads and writes sign the same bytes. Range queries keep
 * the order they were made in.
 *
 * @returns rwset.TxReadWriteSet bytes.
 */
export function encodeRwSet(rwset: ParsedRwSet): Uint8Array {
  const nsRwset = rwset.namespaces
    .toSorted((a, b) => compareKeys(a.namespace, b.namespace))
    .map(encodeNamespace);
  return TxReadWriteSet.encode({ nsRwset });
}

/**
 * Reads rwset.TxReadWriteSet bytes as a stock peer does, the sets nested in it included.
 *
 * @throws FORMATS_PROTOBUF_INVALID where a stock peer answers BAD_RWSET.
 */
export function parseRwSet(bytes: Uint8Array): ParsedRwSet {
  return { namespaces: TxReadWriteSet.decode(bytes).nsRwset.map(parseNamespace) };
}

/**
 * Bytewise order of the keys' UTF-8, the order of Fabric's state. JavaScript compares UTF-16 units,
 * which puts U+E000-U+FFFF behind the characters beyond them.
 */
export function compareKeys(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index += 1) {
    const left = a.charCodeAt(index);
    const right = b.charCodeAt(index);
    if (left !== right) return utf8Rank(left) - utf8Rank(right);
  }
  return a.length - b.length;
}

/** Moves the surrogates above all other units. */
function utf8Rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}

function encodeNamespace(set: NamespaceRwSet): NsReadWriteSet {
  return {
    namespace: set.namespace,
    rwset: KvRwSet.encode({
      reads: set.reads.toSorted(byKey),
      rangeQueriesInfo: set.rangeQueries,
      writes: set.writes.toSorted(byKey),
      metadataWrites: set.metadataWrites.toSorted(byKey),
    }),
    collectionHashedRwset: set.collections ?? [],
  };
}

function byKey(a: { key: string }, b: { key: string }): number {
  return compareKeys(a.key, b.key);
}

function parseNamespace(set: NsReadWriteSet): NamespaceRwSet {
  const { reads, rangeQueriesInfo, writes, metadataWrites } = KvRwSet.decode(set.rwset);
  const parsed = {
    namespace: set.namespace,
    reads,
    rangeQueries: rangeQueriesInfo,
    writes,
    metadataWrites,
  };
  if (set.collectionHashedRwset.length === 0) return parsed;
  for (const { hashedRwset } of set.collectionHashedRwset) HashedRwSet.decode(hashedRwset);
  return { ...parsed, collections: set.collectionHashedRwset };
}
