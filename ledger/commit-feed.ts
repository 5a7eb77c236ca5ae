/** Tells who listens what was committed, and who waits that a height is reached. */
export class CommitFeed<Committed> {
  readonly #listeners = new Set<(committed: Committed) => void>();
  readonly #waiting = new Set<{ height: bigint; resolve: () => void }>();

  /** @returns stops listening. Listeners run before the commit is answered and must not throw. */
  listen(listener: (committed: Committed) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** @throws the signal's reason. */
  async wait(height: bigint, present: () => bigint, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (height <= present()) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiter = { height, resolve };
    const abort = () => reject(signal.reason as Error);
    this.#waiting.add(waiter);
    signal.addEventListener('abort', abort, { once: true });
    try {
      await promise;
    } finally {
      this.#waiting.delete(waiter);
      signal.removeEventListener('abort', abort);
    }
  }

  publish(committed: Committed, height: bigint): void {
    for (const waiter of this.#waiting) if (waiter.height <= height) waiter.resolve();
    for (const listener of this.#listeners) listener(committed);
  }
}
