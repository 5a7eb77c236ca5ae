import type { Transaction } from 'lmdb';
import { readSavepoint } from './savepoint.ts';
import { readChanges } from './state-changes.ts';
import type { StateChanges } from './state-changes.ts';
import { State } from './state.ts';
import type { StateEntry, StateRow } from './state.ts';
import { openStoreReadOnly } from './store.ts';
import type { Store } from './store.ts';

/**
 * Opens the world state for reading in another thread or process, beside the ledger's writer. The
 * tables on disk lag behind the ledger; {@link StateReader.follow} makes up for it.
 *
 * @param dir of a ledger that was opened for writing before.
 */
export function openStateReader(dir: string): StateReader {
  return new StateReader(openStoreReadOnly(dir));
}

/** The state at one height, until it is moved to a newer one. */
export class StateReader implements AsyncDisposable {
  readonly #store: Store;
  readonly #state: State;
  #transaction: Transaction | undefined;
  /** Blocks behind the tables on disk as they are read. */
  #base = 0n;
  #height = 0n;

  constructor(store: Store) {
    this.#store = store;
    this.#state = new State(store);
    this.refresh();
  }

  /** Blocks behind the state that is read. */
  get height(): bigint {
    return this.#height;
  }

  get(namespace: string, key: string): StateEntry | undefined {
    return this.#state.get(namespace, key);
  }

  /** At most `limit` entries with start ≤ key < end, bytewise; empty: no bound. */
  range(namespace: string, start: string, end: string, limit: number): StateRow[] {
    return this.#state.range(namespace, start, end, limit);
  }

  /**
   * Moves to the height of the changes; stays behind it when they begin above what it knows, and can
   * be past it when the tables on disk are by now. To be called often: as long as the tables of an
   * old base are read, their pages cannot be reused.
   */
  follow(changes: StateChanges): void {
    if (changes.base > this.#base) this.refresh();
    if (changes.from > this.#height) return;
    for (const { number, changes: ofBlock } of readChanges(changes.bytes)) {
      if (number < this.#height) continue;
      for (const [key, value] of ofBlock) this.#store.state.put(key, value);
      this.#height = number + 1n;
    }
  }

  /** Moves to the newest state on disk, which may be an older one than it followed before. */
  refresh(): void {
    const { root, state, meta } = this.#store;
    this.#transaction?.done();
    root.resetReadTxn();
    this.#transaction = root.useReadTransaction();
    for (const table of [state, meta]) {
      table.forget();
      table.pin(this.#transaction);
    }
    this.#base = readSavepoint(this.#store)?.height ?? 0n;
    this.#height = this.#base;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#transaction?.done();
    this.#transaction = undefined;
    await this.#store.root.close();
  }
}
