import { join } from 'node:path';
import { TransactionFlags, open } from 'lmdb';
import type { Database, RootDatabase } from 'lmdb';
import { writeFault } from './disk-faults.ts';
import { fault } from './faults.ts';

type Table = Database<Buffer, Buffer>;

/** The tables over the block files; all of them can be made anew from those. */
export interface Store {
  readonly root: RootDatabase<Buffer, Buffer>;
  /** namespace 0x00 key → entry. */
  readonly state: Table;
  readonly blocks: Table;
  readonly transactions: Table;
  readonly requests: Table;
  readonly evidence: Table;
  readonly meta: Table;
}

const formatVersion = 1;
const formatKey = Buffer.from('format');

/** LMDB's bound with pages of 4 KiB. */
export const storeKeyBytesMax = 1_978;

/**
 * Opens the tables in `dir`/state.
 *
 * Sync mode: `overlappingSync`. A commit is visible at once and flushed behind it; LMDB keeps the
 * pages of the newest flushed commit until a newer one is flushed, and after a power cut (another
 * boot id) it opens at that one. So the state can fall behind the block files, which replay mends,
 * and cannot be torn. `noSync` would be faster and could be: pages in use are then overwritten in
 * whatever order the kernel likes. A kill of the process alone loses nothing in either mode.
 *
 * @throws LEDGER_FORMAT_UNKNOWN
 */
export function openStore(dir: string): Store {
  const store = openTables(dir, false);
  const version = store.meta.getBinary(formatKey)?.[0];
  if (version === undefined) {
    writeStore(dir, store, () => store.meta.putSync(formatKey, Buffer.of(formatVersion)));
  } else if (version !== formatVersion) {
    throw fault('LEDGER_FORMAT_UNKNOWN', { version });
  }
  return store;
}

/** Opens the tables for reading beside the one writer; {@link openStore} was there before. */
export function openStoreReadOnly(dir: string): Store {
  return openTables(dir, true);
}

/**
 * Runs `write`, which only calls the tables' …Sync methods, as one transaction.
 *
 * @throws LEDGER_DISK_FULL, LEDGER_WRITE_FAILED; the tables are then as they were.
 */
export function writeStore(dir: string, store: Store, write: () => void): void {
  try {
    // oxlint-disable-next-line typescript/no-unsafe-enum-assignment -- two flags make no member
    store.root.transactionSync(write, commitFlags);
  } catch (cause) {
    throw writeFault(cause, { path: storePath(dir) });
  }
}

export function storePath(dir: string): string {
  return join(dir, 'state');
}

const commitFlags = TransactionFlags.SYNCHRONOUS_COMMIT | TransactionFlags.NO_SYNC_FLUSH;
/** Address space, not disk or memory: LMDB would otherwise remap as it grows. */
const mapBytes = 2 ** 40;
const binary = { keyEncoding: 'binary', encoding: 'binary' } as const;

function openTables(dir: string, readOnly: boolean): Store {
  const root = open<Buffer, Buffer>({
    path: storePath(dir),
    ...binary,
    ...(readOnly ? { readOnly } : { overlappingSync: true }),
    maxDbs: 8,
    mapSize: mapBytes,
  });
  const table = (name: string): Table => root.openDB<Buffer, Buffer>({ name, ...binary });
  return {
    root,
    state: table('state'),
    blocks: table('blocks'),
    transactions: table('transactions'),
    requests: table('requests'),
    evidence: table('evidence'),
    meta: table('meta'),
  };
}
