import { parentPort, workerData } from 'node:worker_threads';
import { Fault } from '#base';
import { openStateReader } from '#ledger';
import { ContractCode } from './contract-code.ts';
import { runBundle } from './run-bundle.ts';
import { runCalls } from './run-calls.ts';
import type { SimulationAnswer, WorkerJob } from './simulation-messages.ts';

/** Entry of the thread that runs contracts: no key, no network, the world state read-only. */
const { ledgerDir } = workerData as { ledgerDir: string };
const state = openStateReader(ledgerDir);
const contracts = new ContractCode();

parentPort?.on('message', (job: WorkerJob) => {
  parentPort?.postMessage(answer(job));
});

function answer(job: WorkerJob): SimulationAnswer {
  try {
    state.follow(job.changes);
    const { jobId, kind } = job;
    return kind === 'bundle'
      ? { jobId, ok: true, kind, ...runBundle(job, state, contracts) }
      : { jobId, ok: true, kind, results: runCalls(job, state, contracts) };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return {
      jobId: job.jobId,
      ok: false,
      code: error.code,
      kind: error.kind,
      sentence: error.message,
      detail: error.detail,
    };
  }
}
