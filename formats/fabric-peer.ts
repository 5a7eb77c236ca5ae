/** Messages of fabric-protos peer/: proposal, proposal_response, transaction, chaincode, chaincode_event. */
import { message } from './protobuf.ts';
import type { MessageOf } from './protobuf.ts';
import {
  bool,
  bytes,
  int32,
  nested,
  optionalBytes,
  optionalText,
  repeatedBytes,
  repeatedNested,
  text,
} from './protobuf-fields.ts';
import { Envelope, Timestamp } from './fabric-common.ts';

export const ChaincodeId = message('protos.ChaincodeID', {
  path: text(1),
  name: text(2),
  version: text(3),
});
export type ChaincodeId = MessageOf<typeof ChaincodeId>;

/** Both are always written, also when empty: an entry of a map is not a plain message. */
const BytesEntryValue = message('protos.ChaincodeInput.DecorationsEntry', {
  key: optionalText(1),
  value: optionalBytes(2),
});

/** Decorations are kept as their raw entries: nothing here reads them, everything writes them back. */
export const ChaincodeInput = message('protos.ChaincodeInput', {
  args: repeatedBytes(1),
  decorations: repeatedNested(2, () => BytesEntryValue),
  isInit: bool(3),
});
export type ChaincodeInput = MessageOf<typeof ChaincodeInput>;

export const ChaincodeSpec = message('protos.ChaincodeSpec', {
  type: int32(1),
  chaincodeId: nested(2, () => ChaincodeId),
  input: nested(3, () => ChaincodeInput),
  timeout: int32(4),
});
export type ChaincodeSpec = MessageOf<typeof ChaincodeSpec>;

export const ChaincodeInvocationSpec = message('protos.ChaincodeInvocationSpec', {
  chaincodeSpec: nested(1, () => ChaincodeSpec),
});
export type ChaincodeInvocationSpec = MessageOf<typeof ChaincodeInvocationSpec>;

export const ChaincodeEvent = message('protos.ChaincodeEvent', {
  chaincodeId: text(1),
  txId: text(2),
  eventName: text(3),
  payload: bytes(4),
});
export type ChaincodeEvent = MessageOf<typeof ChaincodeEvent>;

export const ChaincodeHeaderExtension = message('protos.ChaincodeHeaderExtension', {
  chaincodeId: nested(2, () => ChaincodeId),
});
export type ChaincodeHeaderExtension = MessageOf<typeof ChaincodeHeaderExtension>;

export const SignedProposal = message('protos.SignedProposal', {
  proposalBytes: bytes(1),
  signature: bytes(2),
});
export type SignedProposal = MessageOf<typeof SignedProposal>;

export const Proposal = message('protos.Proposal', {
  header: bytes(1),
  payload: bytes(2),
  extension: bytes(3),
});
export type Proposal = MessageOf<typeof Proposal>;

const TransientEntry = message('protos.ChaincodeProposalPayload.TransientMapEntry', {
  key: optionalText(1),
  value: optionalBytes(2),
});

export const ChaincodeProposalPayload = message('protos.ChaincodeProposalPayload', {
  input: bytes(1),
  transientMap: repeatedNested(2, () => TransientEntry),
});
export type ChaincodeProposalPayload = MessageOf<typeof ChaincodeProposalPayload>;

export const Response = message('protos.Response', {
  status: int32(1),
  message: text(2),
  payload: bytes(3),
});
export type Response = MessageOf<typeof Response>;

export const ChaincodeAction = message('protos.ChaincodeAction', {
  results: bytes(1),
  events: bytes(2),
  response: nested(3, () => Response),
  chaincodeId: nested(4, () => ChaincodeId),
});
export type ChaincodeAction = MessageOf<typeof ChaincodeAction>;

export const ProposalResponsePayload = message('protos.ProposalResponsePayload', {
  proposalHash: bytes(1),
  extension: bytes(2),
});
export type ProposalResponsePayload = MessageOf<typeof ProposalResponsePayload>;

export const Endorsement = message('protos.Endorsement', {
  endorser: bytes(1),
  signature: bytes(2),
});
export type Endorsement = MessageOf<typeof Endorsement>;

export const ProposalResponse = message('protos.ProposalResponse', {
  version: int32(1),
  timestamp: nested(2, () => Timestamp),
  response: nested(4, () => Response),
  payload: bytes(5),
  endorsement: nested(6, () => Endorsement),
});
export type ProposalResponse = MessageOf<typeof ProposalResponse>;

export const ChaincodeEndorsedAction = message('protos.ChaincodeEndorsedAction', {
  proposalResponsePayload: bytes(1),
  endorsements: repeatedNested(2, () => Endorsement),
});
export type ChaincodeEndorsedAction = MessageOf<typeof ChaincodeEndorsedAction>;

export const ChaincodeActionPayload = message('protos.ChaincodeActionPayload', {
  chaincodeProposalPayload: bytes(1),
  action: nested(2, () => ChaincodeEndorsedAction),
});
export type ChaincodeActionPayload = MessageOf<typeof ChaincodeActionPayload>;

export const TransactionAction = message('protos.TransactionAction', {
  header: bytes(1),
  payload: bytes(2),
});
export type TransactionAction = MessageOf<typeof TransactionAction>;

export const Transaction = message('protos.Transaction', {
  actions: repeatedNested(1, () => TransactionAction),
});
export type Transaction = MessageOf<typeof Transaction>;

export const ProcessedTransaction = message('protos.ProcessedTransaction', {
  transactionEnvelope: nested(1, () => Envelope),
  validationCode: int32(2),
});

/** protos.TxValidationCode: a result, not a fault. */
export const validationCodes = {
  VALID: 0,
  NIL_ENVELOPE: 1,
  BAD_PAYLOAD: 2,
  BAD_COMMON_HEADER: 3,
  BAD_CREATOR_SIGNATURE: 4,
  INVALID_ENDORSER_TRANSACTION: 5,
  INVALID_CONFIG_TRANSACTION: 6,
  UNSUPPORTED_TX_PAYLOAD: 7,
  BAD_PROPOSAL_TXID: 8,
  DUPLICATE_TXID: 9,
  ENDORSEMENT_POLICY_FAILURE: 10,
  MVCC_READ_CONFLICT: 11,
  PHANTOM_READ_CONFLICT: 12,
  UNKNOWN_TX_TYPE: 13,
  TARGET_CHAIN_NOT_FOUND: 14,
  MARSHAL_TX_ERROR: 15,
  NIL_TXACTION: 16,
  EXPIRED_CHAINCODE: 17,
  CHAINCODE_VERSION_CONFLICT: 18,
  BAD_HEADER_EXTENSION: 19,
  BAD_CHANNEL_HEADER: 20,
  BAD_RESPONSE_PAYLOAD: 21,
  BAD_RWSET: 22,
  ILLEGAL_WRITESET: 23,
  INVALID_WRITESET: 24,
  INVALID_CHAINCODE: 25,
  NOT_VALIDATED: 254,
  INVALID_OTHER_REASON: 255,
} as const;

export type ValidationCodeName = keyof typeof validationCodes;
export type ValidationCode = (typeof validationCodes)[ValidationCodeName];

const namesByCode = new Map<number, string>(
  Object.entries(validationCodes).map(([name, code]) => [code, name]),
);

/** Fabric's name of a validation code, for people. */
export function validationCodeName(code: number): string {
  return namesByCode.get(code) ?? `UNKNOWN_${code}`;
}
