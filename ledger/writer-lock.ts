import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fault } from './faults.ts';

/**
 * Makes this the only writer of the ledger in `dir`, until it is disposed of or the process ends.
 *
 * A file with a process id goes stale at a kill and lies across containers; the kernel's file locks
 * do neither. Node has no call for them, but its SQLite takes them: an empty database with an open
 * exclusive transaction is nothing but that lock. Nothing is ever written to it.
 *
 * @throws LEDGER_LOCKED at once.
 */
export function lockWriter(dir: string): Disposable {
  const database = new DatabaseSync(join(dir, 'writer.lock'), { timeout: 0 });
  try {
    database.exec('BEGIN EXCLUSIVE');
  } catch (cause) {
    database.close();
    throw fault('LEDGER_LOCKED', { dir }, cause);
  }
  return {
    [Symbol.dispose]: () => {
      if (database.isOpen) database.close();
    },
  };
}
