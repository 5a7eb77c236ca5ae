import { parentPort, workerData } from 'node:worker_threads';
import { instantiate, prepareContract } from '#wasm';
import type { PreparedContract } from '#wasm';
import { MemoryHost } from '../support/memory-host.ts';

/** Runs a contract that came prepared, and prepares one: the gas of both, and the prepared one back. */
const { code, prepared } = workerData as { code: Uint8Array; prepared: PreparedContract };
const own = prepareContract(code);
const gasUsed = [prepared, own].map(
  (contract) => instantiate(contract, new MemoryHost()).invoke('get', ['x'], 1_000_000).gasUsed,
);
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
parentPort?.postMessage({ prepared: own, gasUsed });
