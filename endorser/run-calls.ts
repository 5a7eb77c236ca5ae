import { Fault, emptyBytes, limits } from '#base';
import { lifecycleNamespace } from '#formats';
import type { Response } from '#formats';
import type { ContractCode } from './contract-code.ts';
import { fault } from './faults.ts';
import { ContractOpener } from './open-contract.ts';
import { RequestHost } from './request-host.ts';
import { runLifecycleCall } from './run-lifecycle.ts';
import type { HeightedSource, InvocationOutcome } from './run-bundle.ts';
import type { CallResult, CallsJob, ContractCall } from './simulation-messages.ts';
import { Simulator } from './simulator.ts';

/** What Fabric's contracts answer with when they refuse. */
const errorStatus = 500;

/**
 * Simulates calls independently of each other, as Fabric does: none sees what another writes.
 *
 * @throws ENDORSER_HEIGHT_BEHIND when nothing can be run.
 */
export function runCalls(job: CallsJob, source: HeightedSource, code: ContractCode): CallResult[] {
  if (source.height < job.heightMin) {
    throw fault('ENDORSER_HEIGHT_BEHIND', { height: source.height, wanted: job.heightMin });
  }
  const opener = new ContractOpener(source, code);
  const startMs = performance.now();
  let outputBytes = 0;
  return job.calls.map((call) => {
    // All answers of a job travel in one frame, and slow calls must not cost the others their worker.
    const isFull =
      outputBytes > limits.proposalOutputBytesMax ||
      performance.now() - startMs > limits.contractWaitMsMax / 2;
    if (isFull) return failed(fault('ENDORSER_BUNDLE_FULL'));
    const result = runOrFail(call, source, opener);
    if (result.ok) outputBytes += result.readWriteSet.length + result.response.payload.length;
    return result;
  });
}

function runOrFail(call: ContractCall, source: HeightedSource, opener: ContractOpener): CallResult {
  try {
    return runCall(call, source, opener);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return failed(error);
  }
}

function runCall(call: ContractCall, source: HeightedSource, opener: ContractOpener): CallResult {
  if (call.contract === lifecycleNamespace) return runLifecycleCall(call, source);
  const simulator = new Simulator(source);
  const host = new RequestHost(simulator, call.contract, call.timeMs, call.transient);
  const { contract, contractVersion } = opener.open(call.contract, host);
  host.begin(call.request, 0);
  const [operation] = call.request.operations;
  const outcome = contract.invoke(operation?.function ?? '', operation?.args ?? []);
  const response = responseOf(outcome);
  const outputBytes = simulator.outputBytes + host.eventBytes + response.payload.length;
  if (outputBytes > limits.requestOutputBytesMax) throw fault('ENDORSER_OUTPUT_TOO_LARGE');
  const event = host.takeEvents().at(-1);
  return { ok: true, response, readWriteSet: simulator.readWriteSet(), event, contractVersion };
}

function responseOf(outcome: InvocationOutcome): Response {
  if (outcome.ok) return { status: 200, message: '', payload: outcome.result };
  return { status: errorStatus, message: outcome.message, payload: emptyBytes };
}

function failed({ code, kind, message, detail }: Fault): CallResult {
  return { ok: false, code, kind, sentence: message, detail };
}
