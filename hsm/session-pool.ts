import { Worker } from 'node:worker_threads';
import { BoundedQueue, limits } from '#base';
import { fault } from './faults.ts';
import type { Handle, Pkcs11 } from './pkcs11-module.ts';
import { SignSession } from './sign-session.ts';
import type { SignJob, SignOutcome } from './sign-session.ts';

/** Signing sessions; outcomes come in the order of the jobs. */
export interface SessionPool {
  /** @throws HSM_SESSION_BUSY the queue is full. */
  sign(jobs: readonly SignJob[]): Promise<SignOutcome[]>;
  close(): Promise<void>;
}

/**
 * One session on the calling thread. With a token in software this is the fastest: SoftHSM's
 * threads share one lock, and a hand-over between threads costs as much as its signature.
 */
export function openOwnSession(pkcs11: Pkcs11, slot: Handle): SessionPool {
  const session = new SignSession(pkcs11, slot);
  return {
    sign: async (jobs) => jobs.map((job) => session.sign(job)),
    close: async () => session.close(),
  };
}

export interface WorkerPoolOptions {
  readonly module: string;
  readonly slot: Handle;
  readonly sessions: number;
  /** A native call that hangs cannot be cancelled: only the end of the process stops it. */
  readonly onHang: () => void;
}

interface Waiting {
  readonly job: SignJob;
  readonly settle: (outcome: SignOutcome) => void;
}

interface Seat {
  readonly worker: Worker;
  working: Waiting[];
  deadline: NodeJS.Timeout | undefined;
}

/** Threads with one session each, for tokens that answer slowly and take several calls at once. */
export function openWorkerSessions(options: WorkerPoolOptions): SessionPool {
  const waiting = new BoundedQueue<Waiting>({ depthMax: limits.signQueueDepthMax });
  const idle: Seat[] = [];
  const seats: Seat[] = [];
  const dispatch = () => {
    while (idle.length > 0 && waiting.depth > 0) {
      const count = Math.ceil(waiting.depth / idle.length);
      const seat = idle.pop() as Seat;
      for (let index = 0; index < count; index += 1) seat.working.push(waiting.shift() as Waiting);
      seat.deadline = setTimeout(options.onHang, limits.signWaitMsMax);
      // Copied: posting a view of a shared buffer would post the whole buffer.
      const posted = seat.working.map(({ job: { key, digest } }) => ({
        key: Uint8Array.from(key),
        digest: Uint8Array.from(digest),
      }));
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- threads have no origin
      seat.worker.postMessage(posted);
    }
  };
  for (let index = 0; index < options.sessions; index += 1) {
    seats.push(openSeat(options, idle, dispatch));
  }
  idle.push(...seats);
  return {
    sign: (jobs) => {
      if (waiting.depth + jobs.length > limits.signQueueDepthMax) throw fault('HSM_SESSION_BUSY');
      const outcomes = jobs.map(
        (job) => new Promise<SignOutcome>((settle) => waiting.push({ job, settle })),
      );
      dispatch();
      return Promise.all(outcomes);
    },
    close: async () => {
      // Told, not terminated: its session must be closed before the module is finalised.
      await Promise.all(seats.map(({ worker }) => closeWorker(worker)));
    },
  };
}

function openSeat(
  { module, slot, onHang }: WorkerPoolOptions,
  idle: Seat[],
  dispatch: () => void,
): Seat {
  const worker = new Worker(new URL('./session-worker.ts', import.meta.url), {
    workerData: { module, slot },
  });
  const seat: Seat = { worker, working: [], deadline: undefined };
  worker.on('message', (outcomes: SignOutcome[]) => {
    clearTimeout(seat.deadline);
    const settled = seat.working;
    seat.working = [];
    idle.push(seat);
    for (const [index, outcome] of outcomes.entries()) settled[index]?.settle(outcome);
    dispatch();
  });
  // A thread that dies inside the module has left the module's locks in an unknown state.
  worker.on('error', onHang);
  return seat;
}

async function closeWorker(worker: Worker): Promise<void> {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- threads have no origin
  worker.postMessage('close');
  await new Promise<void>((resolve) => {
    worker.once('exit', () => resolve());
  });
}
