import { Fault, emptyBytes, limits } from '#base';
import type { Clock, FaultKind } from '#base';
import {
  BundleEvents,
  BundleResult,
  ChaincodeEvent,
  EndorseOutcome,
  bundleEventName,
  lifecycleNamespace,
  parseRotateOperation,
  buildProposalResponsePayload,
} from '#formats';
import type { EndorseTask, RequestEvent } from '#formats';
import { lifecycleFacts } from '#policy';
import type { ChannelConfig } from '#policy';
import { checkRotation } from './check-rotation.ts';
import { fault } from './faults.ts';
import type { HeldNode } from './nodes.ts';
import { refusalOf } from './request-verifier.ts';
import type { RequestVerifier, VerifiedRequest } from './request-verifier.ts';
import type { BundleSimulation, SimulationJob } from './simulation-messages.ts';
import type { SimulationPool } from './simulation-pool.ts';
import { parseTask } from './task.ts';
import type { ParsedTask } from './task.ts';
import { trustOwn } from './trust-own.ts';

export interface EndorseContext {
  config: ChannelConfig;
  height: bigint;
  clock: Clock;
  verifier: RequestVerifier;
  simulations: SimulationPool;
  wasExecuted: (requestId: string) => boolean;
  /** The nodes that shall endorse, by the task's word or by the contract's policy. */
  nodesFor: (contract: string, targetNodes: readonly string[]) => HeldNode[];
  endorse: (
    nodes: readonly HeldNode[],
    payload: Uint8Array,
  ) => Promise<EndorseOutcome['endorsements']>;
}

/**
 * Verifies a bundle's requests, simulates it, votes, and has the vote signed with the key of each
 * matching node. The voting result is the response status in the signed payload; this endorser
 * approves with 200 or gives no endorsement at all.
 */
export async function endorseTask(
  task: EndorseTask,
  context: EndorseContext,
): Promise<EndorseOutcome> {
  let parsed: ParsedTask | undefined;
  try {
    parsed = parseTask(task);
    checkTask(parsed, context);
    const { verified, refusals } = verifyRequests(parsed, context);
    if (refusals.length > 0) return { ...EndorseOutcome.initial(), refusals };
    checkRotations(parsed, verified, context);
    const nodes = context.nodesFor(parsed.contract, task.targetNodes);
    const simulated = await simulate(parsed, verified, nodes, context);
    const proposalResponsePayload = votePayload(parsed, simulated);
    const endorsements = await context.endorse(nodes, proposalResponsePayload);
    trustOwn(proposalResponsePayload, endorsements, context.config);
    return { ...EndorseOutcome.initial(), proposalResponsePayload, endorsements };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    if (error.code === 'ENDORSER_BUNDLE_FULL') return refuseRest(task, error);
    if (parsed?.contract === lifecycleNamespace && foreverKinds.has(error.kind)) {
      return refuseLifecycle(parsed, error);
    }
    return {
      ...EndorseOutcome.initial(),
      faultCode: error.code,
      faultSentence: error.message,
      faultKind: error.kind,
    };
  }
}

/** What no other endorser would say otherwise. */
const foreverKinds = new Set<FaultKind>(['malformed', 'denied', 'absent', 'conflict']);

/** The lifecycle refuses what other contracts carry out as failed; whoever asked is told why. */
function refuseLifecycle({ requests }: ParsedTask, error: Fault): EndorseOutcome {
  const { code, kind, message, detail } = error;
  const sentence = [message, detail['reason'] ?? detail['key']].filter(Boolean).join(' ');
  const reason = new Fault(code, kind, sentence, detail);
  const refusals = requests.map((_bytes, index) => refusalOf(index, reason));
  return { ...EndorseOutcome.initial(), refusals };
}

/** The requests that no longer fit: not wrong, only too late for this bundle. */
function refuseRest(task: EndorseTask, full: Fault): EndorseOutcome {
  const first = Number(full.detail['requestIndex']);
  const count = parseTask(task).requests.length;
  const refusals = Array.from({ length: count - first }, (_none, offset) =>
    refusalOf(first + offset, full),
  );
  return { ...EndorseOutcome.initial(), refusals };
}

function checkTask(parsed: ParsedTask, context: EndorseContext): void {
  const { config, clock } = context;
  if (parsed.channel !== config.channelId) {
    throw fault('ENDORSER_TASK_INVALID', { what: 'channel', channel: parsed.channel });
  }
  const awayMs = Math.abs(Number(parsed.timeMs) - clock.nowMs());
  // The contract sees this time: a manager must not be able to choose it freely.
  if (awayMs > limits.taskClockSkewMsMax) {
    throw fault('ENDORSER_TASK_INVALID', { what: 'timestamp', awayMs });
  }
  config.identity(parsed.creator);
}

function verifyRequests(
  parsed: ParsedTask,
  context: EndorseContext,
): { verified: VerifiedRequest[]; refusals: EndorseOutcome['refusals'] } {
  const requestContext = {
    channel: parsed.channel,
    contract: parsed.contract,
    config: context.config,
    at: new Date(Number(parsed.timeMs)),
    clients: new Map(parsed.task.clients.map((one) => [one.keyId, one.certificate])),
    wasExecuted: context.wasExecuted,
  };
  const verified: VerifiedRequest[] = [];
  const refusals: EndorseOutcome['refusals'] = [];
  const seen = new Set<string>();
  for (const [index, bytes] of parsed.requests.entries()) {
    try {
      const one = context.verifier.verify(bytes, requestContext);
      const { requestId } = one.request;
      if (seen.has(requestId)) throw fault('ENDORSER_REQUEST_REPLAYED', { requestId });
      seen.add(requestId);
      verified.push(one);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      refusals.push(refusalOf(index, error));
    }
  }
  return { verified, refusals };
}

/** Certificates are the channel configuration's to judge, which simulations do not have. */
function checkRotations(
  { contract }: ParsedTask,
  verified: readonly VerifiedRequest[],
  { config }: EndorseContext,
): void {
  if (contract !== lifecycleNamespace) return;
  for (const { request, identity } of verified) {
    for (const operation of request.payload.operations) {
      const record = parseRotateOperation(operation);
      if (record !== undefined) checkRotation(record, identity, config);
    }
  }
}

function simulate(
  parsed: ParsedTask,
  verified: readonly VerifiedRequest[],
  nodes: readonly HeldNode[],
  context: EndorseContext,
): Promise<BundleSimulation> {
  return context.simulations.run({
    ...groundsOf(parsed, nodes, context),
    contract: parsed.contract,
    height: context.height,
    timeMs: parsed.timeMs,
    requests: verified.map(({ request, identity }) => ({
      requestId: request.requestId,
      clientId: identity.subjectId,
      clientMspId: identity.mspid,
      clientIsAdmin:
        identity.roles.admin && context.config.applicationOrgs.includes(identity.mspid),
      operations: request.payload.operations,
    })),
  });
}

function groundsOf(
  { contract }: ParsedTask,
  nodes: readonly HeldNode[],
  { config }: EndorseContext,
): Pick<SimulationJob, 'lifecycle'> {
  if (contract !== lifecycleNamespace) return {};
  const endorsers = nodes.map(({ mspid }) => mspid);
  return { lifecycle: { facts: lifecycleFacts(config), endorsers } };
}

/** protos.ProposalResponsePayload bytes: all endorsers of one task must come to the same ones. */
function votePayload(parsed: ParsedTask, simulated: BundleSimulation): Uint8Array {
  const { task } = parsed;
  const { readWriteSet, events, results, contractVersion } = simulated;
  return buildProposalResponsePayload(task, {
    results: readWriteSet,
    events: eventsOf(parsed, events),
    response: { status: 200, message: '', payload: BundleResult.encode({ results }) },
    chaincodeId: { path: '', name: parsed.contract, version: contractVersion },
  });
}

function eventsOf(parsed: ParsedTask, events: RequestEvent[]): Uint8Array {
  if (events.length === 0) return emptyBytes;
  return ChaincodeEvent.encode({
    chaincodeId: parsed.contract,
    txId: parsed.txId,
    eventName: bundleEventName,
    payload: BundleEvents.encode({ events }),
  });
}
