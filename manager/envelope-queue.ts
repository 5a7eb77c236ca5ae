import { BoundedQueue, equalBytes, limits } from '#base';
import type { Fault } from '#base';
import { fault } from './faults.ts';
import type { EnvelopeSubmission, OrderedEnvelope } from './pipeline-types.ts';

/** A client's envelope between its arrival and its block. */
export interface EnvelopeEntry {
  /** common.Envelope bytes. */
  envelope: Uint8Array;
  /** Empty for a configuration. */
  txId: string;
  alone: boolean;
  submission: EnvelopeSubmission;
  accept(): void;
  settle(place: OrderedEnvelope): void;
  refuse(reason: Fault): void;
}

/** What a block has room for. */
export interface BlockRoom {
  count: number;
  bytes: number;
  /** One goes in however large it is: nothing would ever come of it otherwise. */
  atLeastOne: boolean;
}

/**
 * Clients' envelopes that wait for a block, first in, first out. The same bytes, while they are on
 * their way, join those before: a client that lost its connection may submit again.
 */
export class EnvelopeQueue {
  readonly #queue = new BoundedQueue<EnvelopeEntry>({
    depthMax: limits.requestQueueDepthMax,
    bytesMax: limits.requestQueueBytesMax,
    bytesOf: ({ envelope }) => envelope.length,
  });
  /** By transaction id; several only where someone forged another's. */
  readonly #pending = new Map<string, EnvelopeEntry[]>();

  get depth(): number {
    return this.#queue.depth;
  }

  /** Whether what comes next must have a block to itself. */
  get nextIsAlone(): boolean {
    return this.#queue.peek()?.alone === true;
  }

  /** @throws MANAGER_QUEUE_FULL */
  add(envelope: Uint8Array, { txId, alone }: { txId: string; alone: boolean }): EnvelopeSubmission {
    const siblings = this.#pending.get(txId) ?? [];
    // By all bytes: whoever knows only the id must not stand in for the transaction's creator.
    const joined = siblings.find((one) => equalBytes(one.envelope, envelope));
    if (joined !== undefined) return joined.submission;
    const entry = this.#newEntry(envelope, txId, alone);
    if (!this.#queue.push(entry)) {
      throw fault('MANAGER_QUEUE_FULL', { requestQueueDepthMax: limits.requestQueueDepthMax });
    }
    this.#pending.set(txId, [...siblings, entry]);
    return entry.submission;
  }

  /** The one that must have a block to itself. */
  takeAlone(): EnvelopeEntry[] {
    return this.nextIsAlone ? [this.#queue.shift() as EnvelopeEntry] : [];
  }

  /** As many as there is room for, up to the next one that must be alone. */
  take(room: BlockRoom): EnvelopeEntry[] {
    const taken: EnvelopeEntry[] = [];
    let bytes = 0;
    for (let next = this.#queue.peek(); next !== undefined; next = this.#queue.peek()) {
      bytes += next.envelope.length;
      const isDue = room.atLeastOne && taken.length === 0;
      const fits = taken.length < room.count && bytes <= room.bytes;
      if (next.alone || !(fits || isDue)) break;
      this.#queue.shift();
      taken.push(next);
    }
    return taken;
  }

  /** Ends what is still waiting or in the wave that was cut off. */
  refuseAll(reason: Fault): void {
    for (const entry of [...this.#pending.values()].flat()) entry.refuse(reason);
  }

  #newEntry(envelope: Uint8Array, txId: string, alone: boolean): EnvelopeEntry {
    const accepted = Promise.withResolvers<void>();
    const committed = Promise.withResolvers<OrderedEnvelope>();
    // Nobody has to wait for either.
    accepted.promise.catch(() => {});
    committed.promise.catch(() => {});
    const entry: EnvelopeEntry = {
      envelope,
      txId,
      alone,
      submission: { accepted: accepted.promise, committed: committed.promise },
      accept: accepted.resolve,
      settle: (place) => {
        this.#forget(entry);
        accepted.resolve();
        committed.resolve(place);
      },
      refuse: (reason) => {
        this.#forget(entry);
        accepted.reject(reason);
        committed.reject(reason);
      },
    };
    return entry;
  }

  #forget(entry: EnvelopeEntry): void {
    const others = (this.#pending.get(entry.txId) ?? []).filter((one) => one !== entry);
    if (others.length === 0) this.#pending.delete(entry.txId);
    else this.#pending.set(entry.txId, others);
  }
}
