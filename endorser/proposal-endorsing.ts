import { Fault, emptyBytes, limits } from '#base';
import type { Clock, Log } from '#base';
import {
  ChaincodeEvent,
  ProposalOutcome,
  buildProposalResponsePayload,
  lifecycleNamespace,
} from '#formats';
import type { ProposalTask } from '#formats';
import { lifecycleFacts } from '#policy';
import type { ChannelConfig } from '#policy';
import { operationOf, sentenceOf, verifyProposal } from './client-proposal.ts';
import type { VerifiedProposal } from './client-proposal.ts';
import { endorseBatch } from './endorse-batch.ts';
import type { EndorsementWish } from './endorse-batch.ts';
import { fault } from './faults.ts';
import type { HeldNode } from './nodes.ts';
import type { CallResult, ContractCall } from './simulation-messages.ts';
import type { SimulationPool } from './simulation-pool.ts';
import { trustOwn } from './trust-own.ts';

/** Answers of this status and above are the contract's refusals: nothing is endorsed. */
const errorStatusMin = 400;

export interface ProposalEndorsingParts {
  config: ChannelConfig;
  heightMin: bigint;
  clock: Clock;
  simulations: SimulationPool;
  hasTransaction: (txId: string) => boolean;
  /** The nodes that shall endorse, by the task's word or by the contract's policy. */
  nodesFor: (contract: string, targetNodes: readonly string[]) => HeldNode[];
  log: Log;
}

/**
 * Verifies clients' proposals, simulates them independently of each other, and endorses what their
 * contracts did not refuse.
 *
 * @returns one outcome per task.
 */
export async function endorseProposals(
  tasks: readonly ProposalTask[],
  parts: ProposalEndorsingParts,
): Promise<ProposalOutcome[]> {
  if (tasks.length > limits.proposalsPerTaskMax) {
    throw fault('ENDORSER_TASK_INVALID', { what: 'number of proposals' });
  }
  const judged = tasks.map((task) => judge(task, parts));
  const good = judged.filter((one): one is Judged => !(one instanceof Fault));
  const results = await simulate(good, parts);
  const made = new Map(good.map((one, index) => [one, madeOf(one, results[index] as CallResult)]));
  await endorseAll([...made.values()], parts);
  return judged.map((one) => (one instanceof Fault ? refusal(one) : outcomeOf(made.get(one)!)));
}

interface Judged {
  task: ProposalTask;
  proposal: VerifiedProposal;
  call: ContractCall;
  nodes: HeldNode[];
}

/** What became of a proposal so far. */
interface Made {
  judged: Judged;
  result: CallResult;
  payload: Uint8Array;
  endorsements: ProposalOutcome['endorsements'];
  failure: Fault | undefined;
}

function judge(task: ProposalTask, parts: ProposalEndorsingParts): Judged | Fault {
  try {
    const proposal = verifyProposal(task, parts);
    const nodes = task.evaluateOnly ? [] : parts.nodesFor(proposal.contract, task.targetNodes);
    const call = callOf(task, proposal, parts.config, nodes);
    return { task, proposal, call, nodes };
  } catch (error) {
    if (error instanceof Fault) return error;
    throw error;
  }
}

function callOf(
  task: ProposalTask,
  proposal: VerifiedProposal,
  config: ChannelConfig,
  nodes: readonly HeldNode[],
): ContractCall {
  const { txId, contract, identity, timeMs, args, transient } = proposal;
  const request = {
    requestId: txId,
    clientId: identity.subjectId,
    clientMspId: identity.mspid,
    clientIsAdmin: identity.roles.admin && config.applicationOrgs.includes(identity.mspid),
    operations: [operationOf(proposal)],
  };
  const call = { contract, timeMs, request, transient };
  if (contract !== lifecycleNamespace) return call;
  const lifecycle = { facts: lifecycleFacts(config), endorsers: nodes.map(({ mspid }) => mspid) };
  return { ...call, rawArgs: args.slice(1), attachments: task.attachments, lifecycle };
}

async function simulate(
  good: readonly Judged[],
  { simulations, heightMin }: ProposalEndorsingParts,
): Promise<CallResult[]> {
  if (good.length === 0) return [];
  return simulations.runCalls({ heightMin, calls: good.map(({ call }) => call) });
}

function madeOf(judged: Judged, result: CallResult): Made {
  const isEndorsed =
    result.ok && result.response.status < errorStatusMin && !judged.task.evaluateOnly;
  const payload = isEndorsed ? votePayload(judged.proposal, result) : emptyBytes;
  return { judged, result, payload, endorsements: [], failure: undefined };
}

/** protos.ProposalResponsePayload bytes: all endorsers of one proposal must come to the same ones. */
function votePayload(
  proposal: VerifiedProposal,
  { readWriteSet, response, event, contractVersion }: CallResult & { ok: true },
): Uint8Array {
  const { contract, txId } = proposal;
  const events =
    event === undefined
      ? emptyBytes
      : ChaincodeEvent.encode({
          chaincodeId: contract,
          txId,
          eventName: event.name,
          payload: event.payload,
        });
  return buildProposalResponsePayload(proposal, {
    results: readWriteSet,
    events,
    response,
    chaincodeId: { path: '', name: contract, version: contractVersion },
  });
}

async function endorseAll(made: readonly Made[], parts: ProposalEndorsingParts): Promise<void> {
  const voted = made.filter(({ payload }) => payload.length > 0);
  const wishes = voted.map(({ payload, judged: { nodes } }): EndorsementWish => ({
    payload,
    nodes,
  }));
  const answers = await endorseBatch(wishes, parts.log);
  for (const [index, one] of voted.entries()) {
    const answer = answers[index] ?? [];
    if (answer instanceof Fault) one.failure = answer;
    else {
      one.endorsements = answer;
      trustOwn(one.payload, answer, parts.config);
    }
  }
}

function outcomeOf({ result, payload, endorsements, failure }: Made): ProposalOutcome {
  if (failure !== undefined) return failedOutcome(failure.code, failure.kind, failure.message);
  if (!result.ok) return failedOutcome(result.code, result.kind, result.sentence);
  return {
    ...ProposalOutcome.initial(),
    response: result.response,
    proposalResponsePayload: payload,
    endorsements,
  };
}

function failedOutcome(code: string, kind: string, sentence: string): ProposalOutcome {
  const facts = { faultCode: code, faultKind: kind, faultSentence: sentence };
  return { ...ProposalOutcome.initial(), ...facts };
}

function refusal(reason: Fault): ProposalOutcome {
  const failed = failedOutcome(reason.code, reason.kind, sentenceOf(reason));
  return { ...failed, isRefused: true };
}
