import { emptyBytes, fromHex, limits } from '#base';
import { lifecycleNamespace } from '#formats';
import type { RequestEvent, RequestResult } from '#formats';
import type { ContractCode } from './contract-code.ts';
import { fault } from './faults.ts';
import { ContractOpener } from './open-contract.ts';
import { RequestHost } from './request-host.ts';
import { runLifecycleBundle } from './run-lifecycle.ts';
import type { BundleSimulation, SimulatedRequest, SimulationJob } from './simulation-messages.ts';
import { Simulator } from './simulator.ts';
import type { StateSource } from './simulator.ts';

/** Runs one operation of the request the host has begun. */
export interface Invocable {
  invoke(functionName: string, args: readonly string[]): InvocationOutcome;
}

export type InvocationOutcome =
  { ok: true; result: Uint8Array } | { ok: false; status: number; code: string; message: string };

/** A source that also knows its height. */
export type HeightedSource = StateSource & { readonly height: bigint };

/**
 * Simulates a bundle: its requests in order, each rolled back alone when it fails.
 *
 * @throws what {@link runLifecycleBundle} throws; ENDORSER_HEIGHT_BEHIND, ENDORSER_CONTRACT_UNKNOWN, WASM_… when nothing can be run;
 *   ENDORSER_BUNDLE_FULL whose `requestIndex` is the first request that no longer fits.
 */
export function runBundle(
  job: SimulationJob,
  source: HeightedSource,
  code: ContractCode,
): BundleSimulation {
  if (source.height !== job.height) {
    throw fault('ENDORSER_HEIGHT_BEHIND', { height: source.height, wanted: job.height });
  }
  if (job.contract === lifecycleNamespace) return runLifecycleBundle(job, source);
  const simulator = new Simulator(source);
  const host = new RequestHost(simulator, job.contract, job.timeMs);
  const opener = new ContractOpener(source, code);
  const { contract, contractVersion } = opener.open(job.contract, host);
  const results: RequestResult[] = [];
  const events: RequestEvent[] = [];
  let outputBytes = 0;
  for (const [index, request] of job.requests.entries()) {
    const before = { savepoint: simulator.savepoint(), bytes: simulator.outputBytes };
    host.begin(request, index);
    const result = runRequest(request, contract);
    const requestBytes =
      simulator.outputBytes - before.bytes + host.eventBytes + payloadBytes(result);
    const kept = requestBytes > limits.requestOutputBytesMax ? tooLarge(result) : result;
    if (kept.status === 200) events.push(...host.takeEvents());
    else simulator.rollback(before.savepoint);
    outputBytes += requestBytes;
    if (outputBytes > limits.bundleOutputBytesMax && index > 0) {
      throw fault('ENDORSER_BUNDLE_FULL', { requestIndex: index });
    }
    results.push(kept);
  }
  return { readWriteSet: simulator.readWriteSet(), results, events, contractVersion };
}

function payloadBytes({ payloads }: RequestResult): number {
  return payloads.reduce((sum, payload) => sum + payload.length, 0);
}

function tooLarge({ requestId }: RequestResult): RequestResult {
  const { code, message } = fault('ENDORSER_OUTPUT_TOO_LARGE');
  return { requestId, status: 413, message, payloads: [], code };
}

function runRequest(request: SimulatedRequest, contract: Invocable): RequestResult {
  const requestId = fromHex(request.requestId) ?? emptyBytes;
  const payloads: Uint8Array[] = [];
  for (const operation of request.operations) {
    const outcome = contract.invoke(operation.function, operation.args);
    if (!outcome.ok) {
      const { status, message, code } = outcome;
      return { requestId, status, message, payloads: [], code };
    }
    payloads.push(outcome.result);
  }
  return { requestId, status: 200, message: '', payloads, code: '' };
}
