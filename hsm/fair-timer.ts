const tickMs = 20;
/** A tick that comes later than this says nothing of others: they had no processor either. */
const lateMsMax = 10;

/**
 * Counts the time in which this process had the processor when it wanted it. On a machine under load
 * others get as much of it, so who did not answer within this time had a chance to.
 */
export class FairTimer {
  readonly #timer: NodeJS.Timeout;
  readonly #waits = new Set<{ leftMs: number; readonly act: () => void }>();
  #tickedMs = performance.now();

  /** @param onTick hears of every piece of such time; does not keep the process alive. */
  constructor(onTick: (ms: number) => void) {
    this.#timer = setInterval(() => {
      if (this.#isLate()) return;
      onTick(tickMs);
      this.#countDown();
    }, tickMs);
    this.#timer.unref();
  }

  /** Awaits, but only for so much of such time; then it acts and returns. */
  async race(awaited: Promise<unknown>, ms: number, act: () => void): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const wait = {
      leftMs: ms,
      act: () => {
        act();
        resolve();
      },
    };
    this.#waits.add(wait);
    try {
      await Promise.race([awaited, promise]);
    } finally {
      this.#waits.delete(wait);
    }
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#waits.clear();
  }

  #isLate(): boolean {
    const nowMs = performance.now();
    const lateMs = nowMs - this.#tickedMs - tickMs;
    this.#tickedMs = nowMs;
    return lateMs > lateMsMax;
  }

  #countDown(): void {
    for (const wait of this.#waits) {
      wait.leftMs -= tickMs;
      if (wait.leftMs > 0) continue;
      this.#waits.delete(wait);
      wait.act();
    }
  }
}
