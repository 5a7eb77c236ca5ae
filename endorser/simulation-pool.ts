import { Worker } from 'node:worker_threads';
import { Fault, limits } from '#base';
import type { FaultKind, Log } from '#base';
import type { Ledger, StateChanges } from '#ledger';
import { fault } from './faults.ts';
import type {
  BundleSimulation,
  CallResult,
  CallsJob,
  SimulationAnswer,
  SimulationJob,
  WorkerJob,
} from './simulation-messages.ts';

type Success = Extract<SimulationAnswer, { ok: true }>;

const workerFile = new URL('./simulation-worker.ts', import.meta.url);

/**
 * Worker threads that run contracts; a job is one bundle. Gas stops a contract that loops; should a
 * worker still not answer in time, it alone is ended and replaced.
 */
export class SimulationPool implements AsyncDisposable {
  readonly #ledgerDir: string;
  readonly #ledger: Pick<Ledger, 'stateChanges'>;
  readonly #log: Log;
  readonly #slots: Slot[];
  readonly #waiting: (() => void)[] = [];
  #jobId = 0;

  /** @param workerCount threads, at least one. */
  constructor(options: {
    ledgerDir: string;
    ledger: Pick<Ledger, 'stateChanges'>;
    workerCount: number;
    log: Log;
  }) {
    this.#ledgerDir = options.ledgerDir;
    this.#ledger = options.ledger;
    this.#log = options.log;
    this.#slots = Array.from({ length: options.workerCount }, () => ({
      worker: undefined,
      busy: false,
      known: undefined,
    }));
  }

  get jobsWaiting(): number {
    return this.#waiting.length + this.#slots.filter((slot) => slot.busy).length;
  }

  /** @throws ENDORSER_…, WASM_… when the bundle as a whole cannot be simulated. */
  async run(job: SimulationJob): Promise<BundleSimulation> {
    return this.#run((base) => ({ ...base, kind: 'bundle', ...job }), 'bundle');
  }

  /** @returns one result per call. @throws ENDORSER_HEIGHT_BEHIND, ENDORSER_WORKER_LOST */
  async runCalls(job: CallsJob): Promise<CallResult[]> {
    const { results } = await this.#run((base) => ({ ...base, kind: 'calls', ...job }), 'calls');
    return results;
  }

  async close(): Promise<void> {
    await Promise.all(this.#slots.map(async (slot) => slot.worker?.terminate()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #run<Kind extends WorkerJob['kind']>(
    jobOf: (base: Pick<WorkerJob, 'jobId' | 'changes'>) => WorkerJob,
    kind: Kind,
  ): Promise<Extract<Success, { kind: Kind }>> {
    const slot = await this.#freeSlot();
    try {
      this.#jobId += 1;
      const worker = (slot.worker ??= this.#start(slot));
      const changes = this.#ledger.stateChanges(slot.known);
      slot.known = { base: changes.base, to: changes.to };
      const answer = await this.#ask(worker, jobOf({ jobId: this.#jobId, changes }));
      if (answer.ok && answer.kind === kind) return answer as Extract<Success, { kind: Kind }>;
      if (answer.ok) throw new TypeError('a worker answered another job');
      throw new Fault(answer.code, answer.kind as FaultKind, answer.sentence, answer.detail);
    } finally {
      slot.busy = false;
      this.#waiting.shift()?.();
    }
  }

  async #freeSlot(): Promise<Slot> {
    for (;;) {
      const free = this.#slots.find((slot) => !slot.busy);
      if (free !== undefined) {
        free.busy = true;
        return free;
      }
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
      });
    }
  }

  #ask(worker: Worker, job: WorkerJob): Promise<SimulationAnswer> {
    return new Promise<SimulationAnswer>((resolve, reject) => {
      const settle = (act: () => void) => {
        clearTimeout(timer);
        worker.off('message', onMessage);
        worker.off('exit', onExit);
        act();
      };
      const onMessage = (answer: SimulationAnswer) => settle(() => resolve(answer));
      const onExit = () => settle(() => reject(fault('ENDORSER_WORKER_LOST')));
      const timer = setTimeout(() => void worker.terminate(), limits.contractWaitMsMax);
      worker.on('message', onMessage);
      worker.on('exit', onExit);
      worker.postMessage(job);
    });
  }

  #start(slot: Slot): Worker {
    const worker = new Worker(workerFile, {
      workerData: { ledgerDir: this.#ledgerDir },
      resourceLimits: { maxOldGenerationSizeMb: 512 },
    });
    worker.on('error', (error) => this.#log.error({ err: error }, 'simulation worker failed'));
    worker.on('exit', () => {
      slot.worker = undefined;
      slot.known = undefined;
    });
    return worker;
  }
}

interface Slot {
  worker: Worker | undefined;
  busy: boolean;
  /** What its worker was told of the state last. */
  known: Pick<StateChanges, 'base' | 'to'> | undefined;
}
