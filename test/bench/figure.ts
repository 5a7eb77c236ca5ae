/** One measured number; nothing of a claim is known without its conditions. */
export interface Figure {
  figure: string;
  value: number;
  unit: string;
  conditions: string;
}

/** A benchmark of one claim: measures, says what it found, leaves nothing running. */
export type Claim = () => Promise<Figure[]>;

/** @param sorted ascending. @param share 0.5 for the median. */
export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
