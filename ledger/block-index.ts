import { latin1Of } from '#base';
import type { Place } from './block-files.ts';
import type { Store } from './store.ts';

/** Where a block is and what was decided about it. Key: block number u64, big-endian. */
export interface BlockEntry {
  /** Of the whole block, or of its header and data. */
  place: Place;
  /** Of its metadata, when that is a frame of its own. */
  metadataPlace?: Place;
  /** Size of the evidence log after the block. */
  evidenceSize: bigint;
  /** TRANSACTIONS_FILTER, one byte per transaction. */
  codes: Uint8Array;
  /** 32 bytes; empty at block 0. */
  commitHash: Uint8Array;
}

export function readBlockEntry(store: Store, number: bigint): BlockEntry | undefined {
  const stored = store.blocks.get(blockKey(number));
  if (stored === undefined) return undefined;
  const metadataPlace = { file: stored.readUInt32BE(8), offset: stored.readUInt32BE(12) };
  const hashBytes = stored.readUInt8(24);
  return {
    place: { file: stored.readUInt32BE(0), offset: stored.readUInt32BE(4) },
    ...(metadataPlace.offset === 0 ? {} : { metadataPlace }),
    evidenceSize: stored.readBigUInt64BE(16),
    commitHash: Uint8Array.from(stored.subarray(headBytes, headBytes + hashBytes)),
    codes: Uint8Array.from(stored.subarray(headBytes + hashBytes)),
  };
}

export function putBlockEntry(store: Store, number: bigint, entry: BlockEntry): void {
  const head = Buffer.alloc(headBytes);
  head.writeUInt32BE(entry.place.file, 0);
  head.writeUInt32BE(entry.place.offset, 4);
  // No frame starts at offset 0: a file has a head.
  head.writeUInt32BE(entry.metadataPlace?.file ?? 0, 8);
  head.writeUInt32BE(entry.metadataPlace?.offset ?? 0, 12);
  head.writeBigUInt64BE(entry.evidenceSize, 16);
  head.writeUInt8(entry.commitHash.length, 24);
  store.blocks.put(blockKey(number), Buffer.concat([head, entry.commitHash, entry.codes]));
}

/** @param headerHash SHA-256 of the header's DER, 32 bytes: longer than any other key of the table. */
export function readBlockNumber(store: Store, headerHash: Uint8Array): bigint | undefined {
  if (headerHash.length !== 32) return undefined;
  return store.blocks.get(latin1Of(headerHash))?.readBigUInt64BE();
}

export function putBlockNumber(store: Store, headerHash: Uint8Array, number: bigint): void {
  store.blocks.put(latin1Of(headerHash), Buffer.from(blockKey(number), 'latin1'));
}

const headBytes = 25;

function blockKey(number: bigint): string {
  const key = Buffer.alloc(8);
  key.writeBigUInt64BE(number);
  return key.toString('latin1');
}
