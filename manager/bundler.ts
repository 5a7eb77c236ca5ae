import { BoundedQueue, limits } from '#base';
import { lifecycleNamespace } from '#formats';
import { fault } from './faults.ts';
import type { AdmittedRequest } from './pipeline-types.ts';

/** Requests of one contract that will share a transaction. */
export interface Cut<Entry> {
  contract: string;
  entries: Entry[];
}

/** What bundling looks at. */
interface BundledEntry {
  admitted: AdmittedRequest;
  /** How often it was simulated in vain because another of its wave came first. */
  conflicts?: number;
}

/** After so many conflicts side by side is given up: one of a kind in a wave always gets through. */
const conflictsSideBySideMax = 2;

/**
 * Requests waiting per contract. Bundles are cut when the pipeline is free: at low load a request
 * waits for nothing, under load the bundles grow by themselves up to their bounds.
 */
export class Bundler<Entry extends BundledEntry> {
  readonly #requestsMax: number;
  readonly #queues = new Map<string, BoundedQueue<Entry>>();
  /** Entries that must be tried anew come before all that wait. */
  #returned: Entry[] = [];
  #depth = 0;
  #bytes = 0;

  constructor(requestsMax: number) {
    this.#requestsMax = requestsMax;
  }

  get depth(): number {
    return this.#depth + this.#returned.length;
  }

  /** @throws MANAGER_QUEUE_FULL */
  add(entry: Entry): void {
    const bytes = bytesOf(entry);
    if (
      this.depth >= limits.requestQueueDepthMax ||
      this.#bytes + bytes > limits.requestQueueBytesMax
    ) {
      throw fault('MANAGER_QUEUE_FULL', { requestQueueDepthMax: limits.requestQueueDepthMax });
    }
    const { contract } = entry.admitted.request.payload;
    let queue = this.#queues.get(contract);
    if (queue === undefined) {
      queue = new BoundedQueue({ depthMax: limits.requestQueueDepthMax });
      this.#queues.set(contract, queue);
    }
    queue.push(entry);
    this.#depth += 1;
    this.#bytes += bytes;
  }

  /** Puts entries back in front, in their order. */
  giveBack(entries: readonly Entry[]): void {
    this.#returned = [...entries, ...this.#returned];
  }

  /**
   * The next wave: one bundle per contract, or, when bundles have one request, many such.
   *
   * @param cutsMax how many bundles a block may have.
   */
  cut(cutsMax: number = limits.transactionsPerBlockMax): Cut<Entry>[] {
    const cuts: Cut<Entry>[] = [];
    const returned = Map.groupBy(
      this.#returned,
      (entry) => entry.admitted.request.payload.contract,
    );
    this.#returned = [];
    for (const [contract, entries] of returned) cuts.push(...this.#split(contract, entries));
    for (const [contract, queue] of this.#queues) {
      if (returned.has(contract)) continue;
      cuts.push(...this.#cutQueue(contract, queue));
      if (queue.depth === 0) this.#queues.delete(contract);
    }
    this.giveBack(cuts.slice(cutsMax).flatMap((cut) => cut.entries));
    return cuts.slice(0, cutsMax);
  }

  /** Entries that came back go out in bundles of the usual bounds. */
  #split(contract: string, entries: readonly Entry[]): Cut<Entry>[] {
    const queue = new BoundedQueue<Entry>({ depthMax: entries.length });
    for (const entry of entries) queue.push(entry);
    const isContested = (entries[0]?.conflicts ?? 0) > conflictsSideBySideMax;
    const cuts = this.#fill(contract, queue, () => {}, isContested ? 1 : this.#cutsMax(contract));
    const rest: Entry[] = [];
    for (let entry = queue.shift(); entry !== undefined; entry = queue.shift()) rest.push(entry);
    this.giveBack(rest);
    return cuts;
  }

  #cutQueue(contract: string, queue: BoundedQueue<Entry>): Cut<Entry>[] {
    const onTaken = (entry: Entry) => {
      this.#depth -= 1;
      this.#bytes -= bytesOf(entry);
    };
    return this.#fill(contract, queue, onTaken, this.#cutsMax(contract));
  }

  /** Two bundles of one contract in a block would mostly read what the other writes. */
  #cutsMax(contract: string): number {
    return this.#requestsMaxOf(contract) === 1 ? limits.singleRequestBundlesPerWaveMax : 1;
  }

  /** Requests of the lifecycle are endorsed by different organisations each. */
  #requestsMaxOf(contract: string): number {
    return contract === lifecycleNamespace ? 1 : this.#requestsMax;
  }

  #fill(
    contract: string,
    queue: BoundedQueue<Entry>,
    onTaken: (entry: Entry) => void,
    cutsMax: number,
  ): Cut<Entry>[] {
    const cuts: Cut<Entry>[] = [];
    while (cuts.length < cutsMax && queue.depth > 0) {
      cuts.push({ contract, entries: this.#fillOne(contract, queue, onTaken) });
    }
    return cuts;
  }

  #fillOne(contract: string, queue: BoundedQueue<Entry>, onTaken: (entry: Entry) => void): Entry[] {
    const requestsMax = this.#requestsMaxOf(contract);
    const entries: Entry[] = [];
    let operations = 0;
    let bytes = 0;
    for (let next = queue.peek(); next !== undefined; next = queue.peek()) {
      operations += next.admitted.request.payload.operations.length;
      bytes += bytesOf(next);
      const full =
        entries.length >= requestsMax ||
        operations > limits.bundleOperationsMax ||
        bytes > limits.bundleBytesMax;
      if (full && entries.length > 0) break;
      queue.shift();
      onTaken(next);
      entries.push(next);
    }
    return entries;
  }
}

function bytesOf(entry: BundledEntry): number {
  return entry.admitted.request.bytes.length;
}
