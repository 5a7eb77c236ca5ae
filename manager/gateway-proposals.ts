import { Fault, emptyBytes, limits } from '#base';
import type { Clock } from '#base';
import { EndorseRequest, EndorseResponse, EvaluateRequest, EvaluateResponse } from '#formats';
import type { ErrorDetail, SignedProposal } from '#formats';
import type { ChannelConfig } from '#policy';
import { evaluateSystemQuery } from './gateway-system-queries.ts';
import type { GrpcMethod } from './grpc-call.ts';
import { CallFailure, grpcCodes } from './grpc-faults.ts';
import type { GrpcCode } from './grpc-faults.ts';
import type { NodePlans } from './node-plans.ts';
import { isContractError } from './proposals.ts';
import type { Proposals, UnendorsedProposal } from './proposals.ts';
import { readSignedProposal } from './signed-proposal.ts';
import type { ReadProposal } from './signed-proposal.ts';
import { isSystemQuery } from './system-queries.ts';
import type { SystemQuerySource } from './system-queries.ts';

export interface GatewayProposalsParts {
  channelConfig: () => ChannelConfig;
  proposals: Proposals;
  plans: NodePlans;
  /** protos.ApplicationPolicy bytes of a contract. @throws MANAGER_CONTRACT_UNKNOWN */
  policyOf: (contract: string) => Uint8Array;
}

/**
 * `gateway.Gateway/Evaluate`: runs a contract's function and tells what it answers.
 *
 * @see Fabric internal/pkg/gateway/evaluate.go.
 */
export function evaluateMethod(
  parts: GatewayProposalsParts & SystemQuerySource & { clock: Clock },
): GrpcMethod {
  return {
    kind: 'unary',
    requestBytesMax: limits.grpcRequestBytesMax,
    async serve(bytes, call) {
      const request = asArgument(() => EvaluateRequest.decode(bytes));
      const { targetOrganizations: mspids } = request;
      const proposal = readProposal(request.proposedTransaction, 'a signed proposal is required');
      checkEvaluation(parts, proposal, mspids);
      if (isSystemQuery(proposal.contract)) {
        return EvaluateResponse.encode({
          result: evaluateSystemQuery(proposal, call.mspid, parts),
        });
      }
      const result = await parts.proposals.evaluate(proposal, mspids);
      if (result.kind === 'answered' && !isContractError(result.response)) {
        return EvaluateResponse.encode({ result: result.response });
      }
      throw evaluateFailure(parts, result);
    },
  };
}

/**
 * `gateway.Gateway/Endorse`: runs a contract's function and has the answer endorsed, by the contract's
 * policy or by exactly the organisations asked for.
 *
 * @see Fabric internal/pkg/gateway/endorse.go.
 */
export function endorseMethod(parts: GatewayProposalsParts): GrpcMethod {
  return {
    kind: 'unary',
    requestBytesMax: limits.grpcRequestBytesMax,
    async serve(bytes) {
      const request = asArgument(() => EndorseRequest.decode(bytes));
      const { endorsingOrganizations: mspids } = request;
      const proposal = readProposal(
        request.proposedTransaction,
        'the proposed transaction must contain a signed proposal',
      );
      checkPlan(parts, proposal, mspids);
      const result = await parts.proposals.endorse(
        proposal,
        mspids.length > 0 ? { organizations: mspids } : {},
      );
      if (result.kind === 'endorsed') {
        const { payload } = result;
        return EndorseResponse.encode({ preparedTransaction: { payload, signature: emptyBytes } });
      }
      throw endorseFailure(parts, result, mspids.length > 0);
    },
  };
}

function asArgument<Value>(read: () => Value): Value {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof Fault)) throw cause;
    throw new CallFailure(grpcCodes.invalidArgument, cause.message, [], cause);
  }
}

function readProposal(signed: SignedProposal | undefined, missing: string): ReadProposal {
  if (signed === undefined || signed.proposalBytes.length === 0) {
    throw new CallFailure(grpcCodes.invalidArgument, missing);
  }
  return asArgument(() => readSignedProposal(signed));
}

function checkEvaluation(
  parts: GatewayProposalsParts,
  { channel, contract }: ReadProposal,
  mspids: readonly string[],
): void {
  const { invalidArgument, unavailable, failedPrecondition } = grpcCodes;
  if (channel === '') throw new CallFailure(invalidArgument, 'no channel id provided');
  if (contract === '') {
    const sentence = `no chaincode name is provided, channel id [${channel}]`;
    throw new CallFailure(invalidArgument, sentence);
  }
  if (channel !== parts.channelConfig().channelId) {
    const sentence = `failed to get config for channel [${channel}]: the channel is not served here`;
    throw new CallFailure(unavailable, sentence);
  }
  const isServed = mspids.length === 0 || parts.plans.nodesOf(mspids).size > 0;
  if (isServed && (isSystemQuery(contract) || isDeployed(parts, contract))) return;
  const sentence = `no peers available to evaluate chaincode ${contract} in channel ${channel}`;
  throw new CallFailure(failedPrecondition, sentence);
}

/** Refuses what no set of nodes could endorse, also if all of them were in reach. */
function checkPlan(
  parts: GatewayProposalsParts,
  { channel, contract }: ReadProposal,
  mspids: readonly string[],
): void {
  const isServed = channel === parts.channelConfig().channelId && isDeployed(parts, contract);
  const missing = mspids.filter((one) => !isServed || parts.plans.nodesOf([one]).size === 0);
  if (missing.length > 0) {
    const sentence = `failed to find any endorsing peers for org(s): ${missing.join(', ')}`;
    throw new CallFailure(grpcCodes.unavailable, sentence);
  }
  if (mspids.length > 0) return;
  if (isServed && parts.plans.ofPolicy(parts.policyOf(contract)).length > 0) return;
  const sentence = isServed
    ? `no combination of peers can be derived which satisfy the endorsement policy of ${contract}`
    : `no metadata was found for chaincode ${contract} in channel ${channel}`;
  throw new CallFailure(grpcCodes.failedPrecondition, sentence);
}

function isDeployed({ policyOf }: GatewayProposalsParts, contract: string): boolean {
  try {
    policyOf(contract);
    return true;
  } catch (error) {
    if (error instanceof Fault && error.kind === 'absent') return false;
    throw error;
  }
}

function evaluateFailure(parts: GatewayProposalsParts, result: UnendorsedProposal): Error {
  const code = evaluateCodeOf(result);
  if (code === undefined) return overload(result);
  const sentence =
    result.kind === 'failed'
      ? 'failed to evaluate transaction, see attached details for more info'
      : `evaluate call to endorser returned error: ${sentenceOf(result)}`;
  return new CallFailure(code, sentence, [detailOf(parts, result)]);
}

/** @returns undefined when it is the service that cannot take more. */
function evaluateCodeOf(result: UnendorsedProposal): GrpcCode | undefined {
  if (result.kind === 'answered') return grpcCodes.unknown;
  if (result.kind === 'refused') return grpcCodes.failedPrecondition;
  if (result.fault.code === 'MANAGER_ENDORSERS_UNREACHABLE') return grpcCodes.unavailable;
  return isOverload(result.fault) ? undefined : grpcCodes.aborted;
}

function endorseFailure(
  parts: GatewayProposalsParts,
  result: UnendorsedProposal,
  isNamed: boolean,
): Error {
  if (result.kind === 'failed' && isOverload(result.fault)) return overload(result);
  const sentence = isNamed
    ? 'failed to collect enough transaction endorsements'
    : 'failed to endorse transaction';
  const isNobodyThere = result.kind === 'failed' && result.asked === undefined;
  return new CallFailure(
    isNobodyThere ? grpcCodes.unavailable : grpcCodes.aborted,
    `${sentence}, see attached details for more info`,
    [detailOf(parts, result)],
  );
}

function isOverload({ code }: Fault): boolean {
  return code === 'MANAGER_QUEUE_FULL' || code === 'MANAGER_STOPPING';
}

function overload(result: UnendorsedProposal): Error {
  if (result.kind === 'answered') throw new TypeError('an answer is no overload');
  return result.fault;
}

function detailOf(parts: GatewayProposalsParts, result: UnendorsedProposal): ErrorDetail {
  const { endorser = '', nodes = [] } = result.asked ?? {};
  const mspId = parts.plans.mspOf(nodes[0] ?? '') ?? '';
  return { address: endorser, mspId, message: sentenceOf(result) };
}

function sentenceOf(result: UnendorsedProposal): string {
  if (result.kind !== 'answered') return `${result.fault.message} (${result.fault.code})`;
  const { status, message } = result.response;
  return `chaincode response ${status}, ${message}`;
}
