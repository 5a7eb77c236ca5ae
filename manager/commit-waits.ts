import type { CommittedBlock, Ledger } from '#ledger';

/** Where a transaction was committed, and with which code. */
export interface CommitPlace {
  blockNumber: bigint;
  /** One of `validationCodes`. */
  code: number;
}

/** Waits for transactions to be committed: any number of waits, one listener. */
export class CommitWaits implements Disposable {
  readonly #ledger: Pick<Ledger, 'onCommit' | 'transaction'>;
  readonly #waiting = new Map<string, Set<(place: CommitPlace) => void>>();
  readonly #stop: () => void;

  constructor(ledger: Pick<Ledger, 'onCommit' | 'transaction'>) {
    this.#ledger = ledger;
    this.#stop = ledger.onCommit((committed) => this.#tell(committed));
  }

  /** Transactions that are waited for. */
  get size(): number {
    return this.#waiting.size;
  }

  /** At once when the transaction is in a block already. @throws the signal's reason. */
  async wait(txId: string, signal: AbortSignal): Promise<CommitPlace> {
    signal.throwIfAborted();
    const known = this.#ledger.transaction(txId);
    if (known !== undefined) return known;
    const { promise, resolve, reject } = Promise.withResolvers<CommitPlace>();
    const leave = () => reject(signal.reason as Error);
    this.#add(txId, resolve);
    signal.addEventListener('abort', leave, { once: true });
    try {
      return await promise;
    } finally {
      this.#remove(txId, resolve);
      signal.removeEventListener('abort', leave);
    }
  }

  [Symbol.dispose](): void {
    this.#stop();
  }

  #add(txId: string, resolve: (place: CommitPlace) => void): void {
    const others = this.#waiting.get(txId);
    if (others === undefined) this.#waiting.set(txId, new Set([resolve]));
    else others.add(resolve);
  }

  #remove(txId: string, resolve: (place: CommitPlace) => void): void {
    const waiting = this.#waiting.get(txId);
    if (waiting?.delete(resolve) === true && waiting.size === 0) this.#waiting.delete(txId);
  }

  #tell({ number, txIds, codes }: CommittedBlock): void {
    if (this.#waiting.size === 0) return;
    for (const [index, txId] of txIds.entries()) {
      const waiting = this.#waiting.get(txId);
      if (waiting === undefined) continue;
      // Of several with one id the first counts, as in the index of transactions.
      this.#waiting.delete(txId);
      const place = { blockNumber: number, code: codes[index] as number };
      for (const resolve of waiting) resolve(place);
    }
  }
}
