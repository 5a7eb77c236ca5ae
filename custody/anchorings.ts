import type { AuditRecord } from './audit-record.ts';

/** A log whose newest count of a hardware counter tells whether its end was cut off. */
export interface AnchoredLog {
  readonly name: string;
  /** Newest count of this counter on record; 0 for none. */
  anchoredAt(counter: string): bigint;
  /** Puts a count on record that the counter is to have next; returns when it is on the disk. */
  anchor(counter: string, count: bigint): void;
}

/** Facts: `counter`, which one it is, and `count`. */
export const anchoredEvent = 'log.anchored';
/** The first record of a file that continues another one: what that one was anchored at, if it was. */
export const segmentEvent = 'segment.opened';

/** What the records of a log say of the counters that it is anchored to. */
export class Anchorings {
  #newest: { readonly counter: string; readonly count: bigint } | undefined;

  get newest(): { readonly counter: string; readonly count: bigint } | undefined {
    return this.#newest;
  }

  take({ event, facts }: AuditRecord): void {
    if (event !== anchoredEvent && event !== segmentEvent) return;
    const { counter, count } = facts;
    if (counter === undefined || !/^[0-9]{1,20}$/.test(count ?? '')) return;
    this.#newest = { counter, count: BigInt(count as string) };
  }

  /** 0 when the log was never anchored to it, or was anchored to another one since. */
  newestOf(counter: string): bigint {
    return this.#newest?.counter === counter ? this.#newest.count : 0n;
  }

  /** The same as facts. */
  get facts(): Record<string, string> {
    const newest = this.#newest;
    return newest === undefined ? {} : { counter: newest.counter, count: String(newest.count) };
  }
}
