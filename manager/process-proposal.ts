import { Fault, emptyBytes, limits } from '#base';
import type { Clock, Log } from '#base';
import {
  ProposalResponse,
  SerializedIdentity,
  SignatureHeader,
  SignedProposal,
  lifecycleNamespace,
} from '#formats';
import type { Response } from '#formats';
import type { GrpcMethod } from './grpc-call.ts';
import { CallFailure, grpcCodes } from './grpc-faults.ts';
import type { InstalledPackages } from './installed-packages.ts';
import { isApproval, lifecycleAttachments } from './lifecycle-attachments.ts';
import { answerInstallation, isAboutInstallation } from './lifecycle-installation.ts';
import { respondFor } from './proposal-response.ts';
import type { Proposals } from './proposals.ts';
import { readSignedProposal } from './signed-proposal.ts';
import type { ReadProposal } from './signed-proposal.ts';
import { checkSystemProposal } from './system-proposal.ts';
import { answerSystemQuery, isSystemQuery } from './system-queries.ts';
import type { SystemQuerySource } from './system-queries.ts';

export interface ProcessProposalParts extends SystemQuerySource {
  ledger: SystemQuerySource['ledger'] & Parameters<typeof lifecycleAttachments>[2]['ledger'];
  proposals: Pick<Proposals, 'endorse'>;
  packages: InstalledPackages;
  /** Makes the approvals keys that are missing. */
  ensureApprovalKeys: () => Promise<void>;
  /** msp.SerializedIdentity of a node of the organisation; undefined when the zone has none. */
  nodeOf: (mspid: string) => Uint8Array | undefined;
  clock: Clock;
  log: Log;
}

/**
 * `protos.Endorser/ProcessProposal`: what the peer command and the older SDKs call. At an
 * organisation's endpoint that organisation's node endorses, at the zone's own that of the caller's.
 *
 * @see Fabric core/endorser/endorser.go.
 */
export function processProposalMethod(parts: ProcessProposalParts): GrpcMethod {
  return {
    kind: 'unary',
    requestBytesMax: limits.grpcRequestBytesMax,
    async serve(bytes, call) {
      const proposal = readProposal(bytes);
      return answerProposal(proposal, call.mspid, parts);
    },
  };
}

async function answerProposal(
  proposal: ReadProposal,
  mspid: string | undefined,
  parts: ProcessProposalParts,
): Promise<Uint8Array> {
  const { channel, contract, args } = proposal;
  const isInstallation = contract === lifecycleNamespace && isAboutInstallation(args);
  if (channel === '' || isInstallation || isSystemQuery(contract)) {
    return answerHere(proposal, mspid, parts);
  }
  if (channel !== parts.channelConfig().channelId) {
    return refused(`channel '${channel.slice(0, 256)}' not found`);
  }
  const organization = mspid ?? creatorOf(proposal).mspid;
  const attachments =
    contract === lifecycleNamespace ? await prepareLifecycle(proposal, organization, parts) : [];
  if (attachments instanceof Fault) return refused(attachments.message);
  return respondFor(parts.proposals, organization, proposal, attachments);
}

/** What needs no endorser: questions about the ledger, and the packages at an endpoint. */
function answerHere(
  proposal: ReadProposal,
  mspid: string | undefined,
  parts: ProcessProposalParts,
): Uint8Array {
  const { contract, args, channel } = proposal;
  const config = parts.channelConfig();
  const { identity, signed } = checkSystemProposal(proposal, { ...parts, config, mspid });
  const endpoint = mspid ?? identity.mspid;
  if (isSystemQuery(contract)) {
    const response = answerSystemQuery({ contract, args, identity, signed, mspid }, parts);
    const isEndorsed = response.status === 200 && channel !== '';
    const endorser = isEndorsed ? parts.nodeOf(endpoint) : undefined;
    return endorser === undefined ? unendorsed(response) : named(endorser, response);
  }
  if (contract !== lifecycleNamespace || !isAboutInstallation(args)) {
    return refused(`chaincode ${contract.slice(0, limits.nameBytes)} needs a channel`);
  }
  const source = { ...parts, channel: config.channelId };
  return unendorsed(answerInstallation({ args, identity, mspid: endpoint }, source));
}

/**
 * Clients take a channel's answer without endorsement for a failure. This one names the node and has no
 * signature: it could not be part of a transaction in any case, for no peer defines the contract.
 */
function named(endorser: Uint8Array, response: Response): Uint8Array {
  const endorsement = { endorser, signature: emptyBytes };
  return ProposalResponse.encode({ version: 1, response, endorsement });
}

async function prepareLifecycle(
  { args }: ReadProposal,
  mspid: string,
  parts: ProcessProposalParts,
): Promise<Uint8Array[] | Fault> {
  const organizations = parts.channelConfig().applicationOrgs;
  try {
    if (isApproval(args)) await parts.ensureApprovalKeys();
    return lifecycleAttachments(args, mspid, { ...parts, organizations });
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    parts.log.warn(
      { code: error.code, ...error.detail },
      'a call of the lifecycle was not prepared',
    );
    return error;
  }
}

function refused(message: string): Uint8Array {
  return unendorsed({ status: 500, message, payload: emptyBytes });
}

function unendorsed(response: Response): Uint8Array {
  return ProposalResponse.encode({ response });
}

function readProposal(bytes: Uint8Array): ReadProposal {
  try {
    return readSignedProposal(SignedProposal.decode(bytes));
  } catch (cause) {
    if (!(cause instanceof Fault)) throw cause;
    throw new CallFailure(grpcCodes.unknown, 'error unmarshalling SignedProposal', [], cause);
  }
}

function creatorOf({ signatureHeader }: ReadProposal): SerializedIdentity {
  try {
    return SerializedIdentity.decode(SignatureHeader.decode(signatureHeader).creator);
  } catch (cause) {
    if (!(cause instanceof Fault)) throw cause;
    throw new CallFailure(grpcCodes.unknown, 'error validating proposal: access denied', [], cause);
  }
}
