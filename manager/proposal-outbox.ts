import { BoundedQueue, Fault, limits } from '#base';
import type { ProposalOutcome, ProposalTask } from '#formats';
import { kindOf } from './endorsement.ts';
import type { EndorserPool } from './endorser-pool.ts';
import { fault } from './faults.ts';

/** While one batch is simulated the next is verified; more would only make them smaller. */
const batchesInFlightMax = 2;

/**
 * Gathers proposals on their way to endorsers: what arrives while batches are under way goes out
 * together with the next. Under low load a proposal waits for nothing, under load batches grow.
 */
export class ProposalOutbox {
  readonly #pool: Pick<EndorserPool, 'endorseProposals'>;
  readonly #lanes = new Map<string, Lane>();

  constructor(pool: Pick<EndorserPool, 'endorseProposals'>) {
    this.#pool = pool;
  }

  /**
   * @param endorser its name.
   * @throws MANAGER_QUEUE_FULL; BASE_LINK_…, ENDORSER_… when the endorser could not simulate it.
   */
  async send(endorser: string, task: ProposalTask): Promise<ProposalOutcome> {
    let lane = this.#lanes.get(endorser);
    if (lane === undefined) {
      lane = new Lane((tasks) => this.#pool.endorseProposals(endorser, tasks));
      this.#lanes.set(endorser, lane);
    }
    const outcome = await lane.send(task);
    const { faultCode, faultKind, faultSentence, isRefused } = outcome;
    // A refusal is about the proposal, and no other endorser would see it otherwise.
    if (faultCode === '' || isRefused) return outcome;
    throw new Fault(faultCode, kindOf(faultKind), faultSentence, {});
  }
}

interface Waiting {
  task: ProposalTask;
  resolve: (outcome: ProposalOutcome) => void;
  reject: (error: unknown) => void;
}

/** The way to one endorser. */
class Lane {
  readonly #call: (tasks: ProposalTask[]) => Promise<ProposalOutcome[]>;
  readonly #queue = new BoundedQueue<Waiting>({
    depthMax: limits.requestQueueDepthMax,
    bytesMax: limits.requestQueueBytesMax,
    bytesOf: ({ task }) => task.proposal.length,
  });
  /** Those for which only the batch before was full. */
  #returned: Waiting[] = [];
  #inFlight = 0;
  #isWoken = false;

  constructor(call: (tasks: ProposalTask[]) => Promise<ProposalOutcome[]>) {
    this.#call = call;
  }

  send(task: ProposalTask): Promise<ProposalOutcome> {
    return new Promise((resolve, reject) => {
      if (!this.#queue.push({ task, resolve, reject })) {
        reject(fault('MANAGER_QUEUE_FULL', { requestQueueDepthMax: limits.requestQueueDepthMax }));
        return;
      }
      this.#wake();
    });
  }

  /** In the event loop's next turn: all that is being read now goes out together. */
  #wake(): void {
    if (this.#isWoken || this.#inFlight >= batchesInFlightMax) return;
    this.#isWoken = true;
    setImmediate(() => {
      this.#isWoken = false;
      const batch = this.#take();
      if (batch.length > 0) void this.#run(batch);
    });
  }

  #take(): Waiting[] {
    const batch = this.#returned.splice(0, limits.proposalsPerTaskMax);
    let bytes = batch.reduce((sum, { task }) => sum + task.proposal.length, 0);
    for (let next = this.#queue.peek(); next !== undefined; next = this.#queue.peek()) {
      bytes += next.task.proposal.length;
      const isFull =
        batch.length >= limits.proposalsPerTaskMax || bytes > limits.proposalBatchBytesMax;
      if (isFull && batch.length > 0) break;
      this.#queue.shift();
      batch.push(next);
    }
    return batch;
  }

  async #run(batch: Waiting[]): Promise<void> {
    this.#inFlight += 1;
    try {
      const outcomes = await this.#call(batch.map(({ task }) => task));
      for (const [index, waiting] of batch.entries()) this.#settle(waiting, outcomes[index], index);
    } catch (error) {
      for (const { reject } of batch) reject(error);
    } finally {
      this.#inFlight -= 1;
      if (this.#queue.depth + this.#returned.length > 0) this.#wake();
    }
  }

  #settle(waiting: Waiting, outcome: ProposalOutcome | undefined, index: number): void {
    // The first of a batch always fits: no endorser can put off a proposal for ever.
    if (outcome?.faultCode === 'ENDORSER_BUNDLE_FULL' && index > 0) this.#returned.push(waiting);
    else if (outcome === undefined) waiting.reject(fault('MANAGER_ENDORSEMENT_MISSING'));
    else waiting.resolve(outcome);
  }
}
