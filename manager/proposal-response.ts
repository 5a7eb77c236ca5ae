import { emptyBytes } from '#base';
import { ProposalResponse } from '#formats';
import { CallFailure, grpcCodes } from './grpc-faults.ts';
import type { Proposals, ProposalResult } from './proposals.ts';
import type { ReadProposal } from './signed-proposal.ts';

/** Of a response that is endorsed. @see Fabric core/endorser/endorser.go */
const endorsedVersion = 1;
const internalErrorStatus = 500;

/**
 * Answers a proposal as one organisation's peer would: with one endorsement, by its node's key.
 *
 * @param attachments what a call of the lifecycle refers to.
 * @returns protos.ProposalResponse bytes.
 * @throws CallFailure the proposal itself is refused; a peer answers with an error then, too.
 * @see Fabric core/endorser/endorser.go, ProcessProposal.
 */
export async function respondFor(
  proposals: Pick<Proposals, 'endorse'>,
  mspid: string,
  proposal: ReadProposal,
  attachments: Uint8Array[] = [],
): Promise<Uint8Array> {
  return ProposalResponse.encode(
    responseOf(await proposals.endorse(proposal, { organizations: [mspid], attachments })),
  );
}

function responseOf(result: ProposalResult): Partial<ProposalResponse> {
  if (result.kind === 'endorsed') {
    const { response, proposalResponsePayload: payload, endorsements } = result;
    return { version: endorsedVersion, response, payload, endorsement: endorsements[0] };
  }
  if (result.kind === 'answered') return { response: result.response };
  const { code, message } = result.fault;
  const sentence = `${message} (${code})`;
  if (result.kind === 'refused')
    throw new CallFailure(grpcCodes.unknown, sentence, [], result.fault);
  return { response: { status: internalErrorStatus, message: sentence, payload: emptyBytes } };
}
