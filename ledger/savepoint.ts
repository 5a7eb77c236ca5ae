import type { Place } from './block-files.ts';
import type { Store } from './store.ts';

/** How far the tables are: it goes to disk in the same transaction as what it speaks of. */
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

export function readSavepoint({ meta }: Pick<Store, 'meta'>): Savepoint | undefined {
  const stored = meta.get(savepointKey);
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

export function putSavepoint(store: Store, savepoint: Savepoint): void {
  const numbers = Buffer.alloc(32);
  numbers.writeBigUInt64BE(savepoint.height, 0);
  numbers.writeBigUInt64BE(savepoint.configBlockNumber, 8);
  numbers.writeBigUInt64BE(savepoint.evidenceSize, 16);
  numbers.writeUInt32BE(savepoint.place.file, 24);
  numbers.writeUInt32BE(savepoint.place.offset, 28);
  store.meta.put(
    savepointKey,
    Buffer.concat([numbers, savepoint.headerHash, savepoint.commitHash]),
  );
}

const savepointKey = 'savepoint';
