import { join } from 'node:path';
import { TransactionFlags, open } from 'lmdb';
import type { RootDatabase } from 'lmdb';
import { writeFault } from './disk-faults.ts';
import { fault } from './faults.ts';
import { Table } from './table.ts';

/**
 * The tables over the block files; all of them can be made anew from those. What is put into them
 * stays in memory until {@link flushStore}: on disk they lag behind the block files.
 */
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
const formatKey = 'format';

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
  const version = store.meta.get(formatKey)?.[0];
  if (version === undefined) {
    store.meta.put(formatKey, Buffer.of(formatVersion));
    flushStore(dir, store);
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
 * Brings the tables on disk up to those in memory, in one transaction.
 *
 * @throws LEDGER_DISK_FULL, LEDGER_WRITE_FAILED; the disk is then as it was, and nothing is lost.
 */
export function flushStore(dir: string, store: Store): void {
  const tables = tablesOf(store);
  try {
    store.root.transactionSync(
      () => {
        for (const table of tables) table.flush();
      },
      // oxlint-disable-next-line typescript/no-unsafe-enum-assignment -- two flags make no member
      commitFlags,
    );
  } catch (cause) {
    throw writeFault(cause, { path: storePath(dir) });
  }
  for (const table of tables) table.forget();
}

/** How much of the tables is in memory only. */
export function lagOf(store: Store): { entries: number; bytes: number } {
  let entries = 0;
  let bytes = 0;
  for (const table of tablesOf(store)) {
    entries += table.lagEntries;
    bytes += table.lagBytes;
  }
  return { entries, bytes };
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
  const table = (name: string) => new Table(root.openDB<Buffer, Buffer>({ name, ...binary }));
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

function tablesOf({ state, blocks, transactions, requests, evidence, meta }: Store): Table[] {
  return [state, blocks, transactions, requests, evidence, meta];
}
