import type { Transaction } from 'lmdb';
import { readSavepoint } from './savepoint.ts';
import { State } from './state.ts';
import type { StateEntry, StateRow } from './state.ts';
import { openStoreReadOnly } from './store.ts';
import type { Store } from './store.ts';

/**
 * Opens the world state for reading in another thread or process, beside the ledger's writer.
 *
 * @param dir of a ledger that was opened for writing before.
 */
export function openStateReader(dir: string): StateReader {
  return new StateReader(openStoreReadOnly(dir));
}

/** The state at one height, until `refresh` moves it to the newest. */
export class StateReader implements AsyncDisposable {
  readonly #store: Store;
  readonly #state: State;
  #transaction: Transaction | undefined;
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

  /** Moves to the newest state. To be called often: the pages of the old one cannot be reused. */
  refresh(): void {
    this.#transaction?.done();
    this.#store.root.resetReadTxn();
    this.#transaction = this.#store.root.useReadTransaction();
    this.#state.pin(this.#transaction);
    this.#height = readSavepoint(this.#store, this.#transaction)?.height ?? 0n;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#transaction?.done();
    this.#transaction = undefined;
    await this.#store.root.close();
  }
}
