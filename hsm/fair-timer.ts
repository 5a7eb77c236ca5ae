const tickMs = 20;
/** A tick that comes later than this says nothing of others: they had no processor either. */
const lateMsMax = 10;

/**
 * Counts the time in which this process had the processor when it wanted it. On a machine under load
 * others get as much of it, so who did not answer within this time had a chance to.
 */
export class FairTimer {
  readonly #onTick: (ms: number) => boolean;
  readonly #waits = new Set<{ leftMs: number; readonly act: () => void }>();
  #timer: NodeJS.Timeout | undefined;
  #tickedMs = 0;
  #isStopped = false;

  /**
   * @param onTick hears of every piece of such time, from `start` until it says that there is nothing
   *   left to wait for: a process that wakes up fifty times a second for nothing is not idle.
   */
  constructor(onTick: (ms: number) => boolean) {
    this.#onTick = onTick;
  }

  /** Counts from now on, unless it does already; does not keep the process alive. */
  start(): void {
    if (this.#timer !== undefined || this.#isStopped) return;
    this.#tickedMs = performance.now();
    this.#timer = setInterval(() => this.#tick(), tickMs);
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
    this.start();
    try {
      await Promise.race([awaited, promise]);
    } finally {
      this.#waits.delete(wait);
    }
  }

  stop(): void {
    this.#isStopped = true;
    this.#pause();
    this.#waits.clear();
  }

  #pause(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #tick(): void {
    if (this.#isLate()) return;
    const goesOn = this.#onTick(tickMs);
    this.#countDown();
    if (!goesOn && this.#waits.size === 0) this.#pause();
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
