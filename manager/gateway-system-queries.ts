import type { Clock } from '#base';
import type { Response } from '#formats';
import { CallFailure, grpcCodes } from './grpc-faults.ts';
import { isContractError } from './proposals.ts';
import type { ReadProposal } from './signed-proposal.ts';
import { checkSystemProposal } from './system-proposal.ts';
import { answerSystemQuery } from './system-queries.ts';
import type { SystemQuerySource } from './system-queries.ts';

/**
 * Evaluates `qscc` and `cscc`, which applications ask for blocks and transactions by an SDK.
 *
 * @param mspid the organisation whose endpoint was called; undefined at the zone's own.
 * @throws CallFailure as of a contract: FAILED_PRECONDITION the proposal, UNKNOWN its answer.
 */
export function evaluateSystemQuery(
  proposal: ReadProposal,
  mspid: string | undefined,
  source: SystemQuerySource & { clock: Clock },
): Response {
  const { contract, args } = proposal;
  const { identity, signed } = checked(proposal, mspid, source);
  const response = answerSystemQuery({ contract, args, identity, signed, mspid }, source);
  if (!isContractError(response)) return response;
  throw refused(grpcCodes.unknown, `chaincode response ${response.status}, ${response.message}`);
}

function checked(
  proposal: ReadProposal,
  mspid: string | undefined,
  { channelConfig, clock }: SystemQuerySource & { clock: Clock },
) {
  try {
    return checkSystemProposal(proposal, { config: channelConfig(), clock, mspid });
  } catch (error) {
    if (!(error instanceof CallFailure)) throw error;
    throw refused(grpcCodes.failedPrecondition, error.message);
  }
}

function refused(code: 2 | 9, sentence: string): CallFailure {
  return new CallFailure(code, `evaluate call to endorser returned error: ${sentence}`, [
    { address: '', mspId: '', message: sentence },
  ]);
}
