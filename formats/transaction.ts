import { emptyBytes, toHex } from '#base';
import { sha256 } from '#crypto';
import { ChannelHeader, Envelope, Payload, SignatureHeader, headerTypes } from './fabric-common.ts';
import {
  ChaincodeAction,
  ChaincodeActionPayload,
  ChaincodeHeaderExtension,
  ChaincodeInvocationSpec,
  ChaincodeProposalPayload,
  ProposalResponsePayload,
  Transaction,
} from './fabric-peer.ts';
import type { ChaincodeSpec, Endorsement } from './fabric-peer.ts';
import { fault } from './faults.ts';

/** ChaincodeSpec.Type EXTERNAL: the code runs elsewhere than in a peer's chaincode container. */
const externalChaincode = 5;

/** Fabric's transaction id: lower-case hex of SHA-256(nonce ‖ creator). */
export function transactionId(nonce: Uint8Array, creator: Uint8Array): string {
  return toHex(sha256(nonce, creator));
}

/**
 * SHA-256 that ties a proposal response to its proposal.
 *
 * @param channelHeader common.ChannelHeader bytes as in the proposal.
 * @param signatureHeader common.SignatureHeader bytes as in the proposal.
 * @param proposalPayload protos.ChaincodeProposalPayload bytes without transient map.
 */
export function proposalHash(
  channelHeader: Uint8Array,
  signatureHeader: Uint8Array,
  proposalPayload: Uint8Array,
): Uint8Array {
  return sha256(channelHeader, signatureHeader, proposalPayload);
}

export interface ChannelHeaderSpec {
  /** One of `headerTypes`. */
  type: number;
  channel: string;
  /** Milliseconds since the Unix epoch. */
  timeMs: number;
  txId?: string;
  /** Contract that the header extension names; endorser transactions need it. */
  contract?: string;
}

/** @returns common.ChannelHeader bytes. */
export function buildChannelHeader(spec: ChannelHeaderSpec): Uint8Array {
  const wholeSeconds = Math.floor(spec.timeMs / 1000);
  const nanos = Math.round((spec.timeMs - wholeSeconds * 1000) * 1e6);
  return ChannelHeader.encode({
    type: spec.type,
    timestamp: { seconds: BigInt(wholeSeconds), nanos },
    channelId: spec.channel,
    txId: spec.txId ?? '',
    extension:
      spec.contract === undefined
        ? emptyBytes
        : ChaincodeHeaderExtension.encode({ chaincodeId: chaincodeId(spec.contract) }),
  });
}

export interface ProposalSpec {
  channel: string;
  contract: string;
  /** The function's name comes first, as bytes. */
  args: readonly Uint8Array[];
  /** msp.SerializedIdentity bytes of the transaction's creator. */
  creator: Uint8Array;
  /** 24 random bytes: they make the transaction id unique. */
  nonce: Uint8Array;
  /** Milliseconds since the Unix epoch; what the contract sees as the time. */
  timeMs: number;
}

/** The parts of a proposal that a transaction repeats byte for byte. */
export interface BuiltProposal {
  txId: string;
  /** common.ChannelHeader bytes. */
  channelHeader: Uint8Array;
  /** common.SignatureHeader bytes. */
  signatureHeader: Uint8Array;
  /** protos.ChaincodeProposalPayload bytes. */
  proposalPayload: Uint8Array;
}

export function buildProposal(spec: ProposalSpec): BuiltProposal {
  const { channel, contract, creator, nonce, timeMs } = spec;
  const txId = transactionId(nonce, creator);
  const input = ChaincodeInvocationSpec.encode({
    chaincodeSpec: {
      type: externalChaincode,
      chaincodeId: chaincodeId(contract),
      input: { args: [...spec.args], decorations: [], isInit: false },
      timeout: 0,
    },
  });
  return {
    txId,
    channelHeader: buildChannelHeader({
      type: headerTypes.endorserTransaction,
      channel,
      timeMs,
      txId,
      contract,
    }),
    signatureHeader: SignatureHeader.encode({ creator, nonce }),
    proposalPayload: ChaincodeProposalPayload.encode({ input }),
  };
}

/** The bytes that every endorser signs, each followed by its own identity. */
export function buildProposalResponsePayload(
  proposal: Pick<BuiltProposal, 'channelHeader' | 'signatureHeader' | 'proposalPayload'>,
  action: Partial<ChaincodeAction>,
): Uint8Array {
  const { channelHeader, signatureHeader, proposalPayload } = proposal;
  return ProposalResponsePayload.encode({
    proposalHash: proposalHash(channelHeader, signatureHeader, proposalPayload),
    extension: ChaincodeAction.encode(action),
  });
}

export interface EnvelopeParts extends Omit<BuiltProposal, 'txId'> {
  /** protos.ProposalResponsePayload bytes that all endorsements are over. */
  proposalResponsePayload: Uint8Array;
  endorsements: readonly Endorsement[];
}

/** @returns common.Payload bytes, for the creator to sign: the rest of the envelope is the signature. */
export function buildEnvelopePayload(parts: EnvelopeParts): Uint8Array {
  const { channelHeader, signatureHeader } = parts;
  const payload = ChaincodeActionPayload.encode({
    chaincodeProposalPayload: parts.proposalPayload,
    action: {
      proposalResponsePayload: parts.proposalResponsePayload,
      endorsements: [...parts.endorsements],
    },
  });
  const data = Transaction.encode({ actions: [{ header: signatureHeader, payload }] });
  return Payload.encode({ header: { channelHeader, signatureHeader }, data });
}

/** An envelope with its layers read; what is bytes here was signed or hashed as it stands. */
export interface ParsedTransaction {
  envelope: Envelope;
  /** The channel header's bytes, and what they say. */
  channelHeaderBytes: Uint8Array;
  channelHeader: ChannelHeader;
  signatureHeaderBytes: Uint8Array;
  signatureHeader: SignatureHeader;
  /** Payload.data: protos.Transaction bytes, or for a configuration common.ConfigEnvelope bytes. */
  data: Uint8Array;
  /** Set for an endorser transaction. */
  endorsed?: EndorsedAction;
}

/** The one action of an endorser transaction. */
export interface EndorsedAction {
  /** common.SignatureHeader bytes of the action. */
  header: Uint8Array;
  proposalPayload: Uint8Array;
  /** What was called, and with which arguments. */
  invocation: ChaincodeSpec | undefined;
  proposalResponsePayload: Uint8Array;
  proposalHash: Uint8Array;
  action: ChaincodeAction;
  endorsements: Endorsement[];
}

/**
 * Reads an envelope as leniently as Fabric does: it says what is there, not whether it is valid.
 *
 * @throws FORMATS_PROTOBUF_INVALID; FORMATS_TRANSACTION_MALFORMED a layer is missing.
 */
export function parseTransaction(envelopeBytes: Uint8Array): ParsedTransaction {
  const envelope = Envelope.decode(envelopeBytes);
  const { header, data } = Payload.decode(envelope.payload);
  if (header === undefined) throw malformed('no header');
  const channelHeader = ChannelHeader.decode(header.channelHeader);
  const parsed = {
    envelope,
    channelHeaderBytes: header.channelHeader,
    channelHeader,
    signatureHeaderBytes: header.signatureHeader,
    signatureHeader: SignatureHeader.decode(header.signatureHeader),
    data,
  };
  if (channelHeader.type !== headerTypes.endorserTransaction) return parsed;
  return { ...parsed, endorsed: parseAction(data) };
}

function parseAction(data: Uint8Array): EndorsedAction {
  const [first, ...others] = Transaction.decode(data).actions;
  if (first === undefined || others.length > 0) throw malformed('not one action');
  const { chaincodeProposalPayload, action } = ChaincodeActionPayload.decode(first.payload);
  if (action === undefined) throw malformed('no endorsed action');
  const { input } = ChaincodeProposalPayload.decode(chaincodeProposalPayload);
  const response = ProposalResponsePayload.decode(action.proposalResponsePayload);
  return {
    header: first.header,
    proposalPayload: chaincodeProposalPayload,
    invocation: ChaincodeInvocationSpec.decode(input).chaincodeSpec,
    proposalResponsePayload: action.proposalResponsePayload,
    proposalHash: response.proposalHash,
    action: ChaincodeAction.decode(response.extension),
    endorsements: action.endorsements,
  };
}

function chaincodeId(name: string) {
  return { path: '', name, version: '' };
}

function malformed(reason: string): Error {
  return fault('FORMATS_TRANSACTION_MALFORMED', { reason });
}
