import {
  ChaincodeInvocationSpec,
  ChaincodeProposalPayload,
  ChannelHeader,
  Header,
  Proposal,
} from '#formats';
import type { BuiltProposal, SignedProposal } from '#formats';

/** A client's proposal as far as the manager needs it read; whether it is right is the endorser's to say. */
export interface ReadProposal extends BuiltProposal {
  signed: SignedProposal;
  channel: string;
  contract: string;
  args: readonly Uint8Array[];
  hasTransient: boolean;
}

/** @throws FORMATS_PROTOBUF_INVALID */
export function readSignedProposal(signed: SignedProposal): ReadProposal {
  const proposal = Proposal.decode(signed.proposalBytes);
  const { channelHeader, signatureHeader } = Header.decode(proposal.header);
  const { channelId, txId } = ChannelHeader.decode(channelHeader);
  const { input, transientMap } = ChaincodeProposalPayload.decode(proposal.payload);
  const { chaincodeSpec } = ChaincodeInvocationSpec.decode(input);
  return {
    signed,
    txId,
    channelHeader,
    signatureHeader,
    proposalPayload: ChaincodeProposalPayload.encode({ input }),
    channel: channelId,
    contract: chaincodeSpec?.chaincodeId?.name ?? '',
    args: chaincodeSpec?.input?.args ?? [],
    hasTransient: transientMap.length > 0,
  };
}
