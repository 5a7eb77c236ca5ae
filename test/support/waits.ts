/** How long calls took that were made as fast as they were answered. */
export interface Waits {
  readonly count: number;
  readonly tookMs: number;
  readonly medianMs: number;
  readonly p99Ms: number;
}

/** Keeps so many calls in flight for a time. @param act makes one; it is told which caller makes it. */
export async function waitsOf(
  act: (caller: number) => Promise<unknown>,
  { inFlight, ms }: { inFlight: number; ms: number },
): Promise<Waits> {
  const waitsMs: number[] = [];
  const startMs = performance.now();
  const calling = async (caller: number) => {
    while (performance.now() - startMs < ms) {
      const beforeMs = performance.now();
      await act(caller);
      waitsMs.push(performance.now() - beforeMs);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, (_none, caller) => calling(caller)));
  const tookMs = performance.now() - startMs;
  const sorted = waitsMs.toSorted((one, other) => one - other);
  const at = (part: number) => sorted[Math.floor(sorted.length * part)] ?? 0;
  return { count: waitsMs.length, tookMs, medianMs: at(0.5), p99Ms: at(0.99) };
}
