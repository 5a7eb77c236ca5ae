import type { Transaction } from 'lmdb';
import type { Place } from './block-files.ts';
import type { Store } from './store.ts';

/** How far the tables are: written in the same transaction as what it speaks of. */
export interface Savepoint {
  /** Blocks applied so far. */
  height: bigint;
  /** Number of the newest config block. */
  configBlockNumber: bigint;
  evidenceSize: bigint;
  /** Behind the newest applied block in the block files. */
  place: Place;
  /** Of the newest applied block, 32 bytes. */
  headerHash: Uint8Array;
  /** Empty until block 1. */
  commitHash: Uint8Array;
}

/** @param transaction to read in, when not in the newest state. */
export function readSavepoint(store: Store, transaction?: Transaction): Savepoint | undefined {
  const stored = store.meta.get(savepointKey, transaction === undefined ? {} : { transaction });
  if (stored === undefined) return undefined;
  return {
    height: stored.readBigUInt64BE(0),
    configBlockNumber: stored.readBigUInt64BE(8),
    evidenceSize: stored.readBigUInt64BE(16),
    place: { file: stored.readUInt32BE(24), offset: stored.readUInt32BE(28) },
    headerHash: Uint8Array.from(stored.subarray(32, 64)),
    commitHash: Uint8Array.from(stored.subarray(64)),
  };
}

/** To be called inside a transaction. */
export function putSavepoint(store: Store, savepoint: Savepoint): void {
  const numbers = Buffer.alloc(32);
  numbers.writeBigUInt64BE(savepoint.height, 0);
  numbers.writeBigUInt64BE(savepoint.configBlockNumber, 8);
  numbers.writeBigUInt64BE(savepoint.evidenceSize, 16);
  numbers.writeUInt32BE(savepoint.place.file, 24);
  numbers.writeUInt32BE(savepoint.place.offset, 28);
  store.meta.putSync(
    savepointKey,
    Buffer.concat([numbers, savepoint.headerHash, savepoint.commitHash]),
  );
}

export const savepointKey = Buffer.from('savepoint');
