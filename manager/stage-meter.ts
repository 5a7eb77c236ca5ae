/** Where the time of a wave goes; a stage is waited for, so its time is not its CPU time. */
export const stages = ['endorse', 'signEnvelopes', 'assess', 'makeBlock', 'answer'] as const;
export type Stage = (typeof stages)[number];

export interface StageTotal {
  count: number;
  /** Milliseconds since the start, all together. */
  totalMs: number;
}

/** Adds up how long each stage of the pipeline took. */
export class StageMeter {
  readonly #totals = new Map<Stage, StageTotal>(
    stages.map((stage) => [stage, { count: 0, totalMs: 0 }]),
  );

  async time<Result>(stage: Stage, work: () => Result | Promise<Result>): Promise<Result> {
    const startMs = performance.now();
    try {
      return await work();
    } finally {
      const total = this.#totals.get(stage) as StageTotal;
      total.count += 1;
      total.totalMs += performance.now() - startMs;
    }
  }

  totals(): Record<Stage, StageTotal> {
    return Object.fromEntries(this.#totals) as Record<Stage, StageTotal>;
  }
}
