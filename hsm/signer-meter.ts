/** Upper bounds of the buckets of a signature's time, in microseconds; the last one is open. */
export const latencyBucketsUs = [
  50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000,
  1_000_000, 2_500_000,
] as const;

export const signerCounters = [
  /** Sessions closed after a failure; the next signature opens another. */
  'sessionsRenewed',
  /** Sessions that were used again with an operation still open: none, ever. */
  'sessionsPoisoned',
  /** Times that the keys of a process were found and proved anew. */
  'refreshes',
  /** Times that no session answered, and callers were told to come again. */
  'stalls',
  /** Processes ended because they did not answer for seconds. */
  'hangs',
  'processesLost',
  /** Signatures of the token that did not verify; none of them left. */
  'signaturesWrong',
  'signaturesVerified',
  'canaryFailures',
  /** Calls that got no signature because of the token. */
  'callsRefused',
  'ordersExecuted',
  /** Orders that were not authorised, or not understood; nothing was done. */
  'ordersRefused',
  /** Orders that were authorised, and failed. */
  'ordersFailed',
  /** Times that the token did not sign a checkpoint of the audit log. */
  'checkpointsDelayed',
] as const;
export type SignerCounter = (typeof signerCounters)[number];

/** How long signatures with one key took. */
export interface KeyLatency {
  /** Signatures in each bucket, not added up; one bucket more than there are bounds. */
  readonly buckets: number[];
  count: number;
  totalUs: number;
}

/** Counts what a signer host does, for its report. */
export class SignerMeter {
  readonly counts: Record<SignerCounter, number> = Object.fromEntries(
    signerCounters.map((name) => [name, 0]),
  ) as Record<SignerCounter, number>;
  readonly #latencies = new Map<string, KeyLatency>();

  count(name: SignerCounter, by = 1): void {
    this.counts[name] += by;
  }

  signed(key: string, us: number): void {
    const latency = this.latencyOf(key);
    const bucket = latencyBucketsUs.findIndex((boundUs) => us <= boundUs);
    const index = bucket === -1 ? latencyBucketsUs.length : bucket;
    latency.buckets[index] = (latency.buckets[index] as number) + 1;
    latency.count += 1;
    latency.totalUs += us;
  }

  latencyOf(key: string): KeyLatency {
    let latency = this.#latencies.get(key);
    if (latency === undefined) {
      const buckets = Array.from({ length: latencyBucketsUs.length + 1 }, () => 0);
      latency = { buckets, count: 0, totalUs: 0 };
      this.#latencies.set(key, latency);
    }
    return latency;
  }
}
