/** Messages of fabric-protos gateway/gateway.proto, and of google/rpc/status.proto that carries its details. */
import { Envelope } from './fabric-common.ts';
import { SeekPosition } from './fabric-orderer.ts';
import { ChaincodeEvent, Response, SignedProposal } from './fabric-peer.ts';
import { message } from './protobuf.ts';
import type { MessageOf } from './protobuf.ts';
import {
  bytes,
  int32,
  nested,
  repeatedNested,
  repeatedText,
  text,
  uint64,
} from './protobuf-fields.ts';

export const EvaluateRequest = message('gateway.EvaluateRequest', {
  transactionId: text(1),
  channelId: text(2),
  proposedTransaction: nested(3, () => SignedProposal),
  /** MSP ids. */
  targetOrganizations: repeatedText(4),
});
export type EvaluateRequest = MessageOf<typeof EvaluateRequest>;

export const EvaluateResponse = message('gateway.EvaluateResponse', {
  result: nested(1, () => Response),
});
export type EvaluateResponse = MessageOf<typeof EvaluateResponse>;

export const EndorseRequest = message('gateway.EndorseRequest', {
  transactionId: text(1),
  channelId: text(2),
  proposedTransaction: nested(3, () => SignedProposal),
  /** MSP ids; empty: as the contract's policy demands. */
  endorsingOrganizations: repeatedText(4),
});
export type EndorseRequest = MessageOf<typeof EndorseRequest>;

export const EndorseResponse = message('gateway.EndorseResponse', {
  /** Its signature is empty: the client's to fill in. */
  preparedTransaction: nested(1, () => Envelope),
});
export type EndorseResponse = MessageOf<typeof EndorseResponse>;

export const SubmitRequest = message('gateway.SubmitRequest', {
  transactionId: text(1),
  channelId: text(2),
  preparedTransaction: nested(3, () => Envelope),
});
export type SubmitRequest = MessageOf<typeof SubmitRequest>;

export const SubmitResponse = message('gateway.SubmitResponse', {});

export const SignedCommitStatusRequest = message('gateway.SignedCommitStatusRequest', {
  /** gateway.CommitStatusRequest bytes. */
  request: bytes(1),
  signature: bytes(2),
});
export type SignedCommitStatusRequest = MessageOf<typeof SignedCommitStatusRequest>;

export const CommitStatusRequest = message('gateway.CommitStatusRequest', {
  transactionId: text(1),
  channelId: text(2),
  /** msp.SerializedIdentity bytes. */
  identity: bytes(3),
});
export type CommitStatusRequest = MessageOf<typeof CommitStatusRequest>;

export const CommitStatusResponse = message('gateway.CommitStatusResponse', {
  /** One of `validationCodes`. */
  result: int32(1),
  blockNumber: uint64(2),
});
export type CommitStatusResponse = MessageOf<typeof CommitStatusResponse>;

export const SignedChaincodeEventsRequest = message('gateway.SignedChaincodeEventsRequest', {
  /** gateway.ChaincodeEventsRequest bytes. */
  request: bytes(1),
  signature: bytes(2),
});
export type SignedChaincodeEventsRequest = MessageOf<typeof SignedChaincodeEventsRequest>;

export const ChaincodeEventsRequest = message('gateway.ChaincodeEventsRequest', {
  channelId: text(1),
  chaincodeId: text(2),
  /** msp.SerializedIdentity bytes. */
  identity: bytes(3),
  startPosition: nested(4, () => SeekPosition),
  afterTransactionId: text(5),
});
export type ChaincodeEventsRequest = MessageOf<typeof ChaincodeEventsRequest>;

export const ChaincodeEventsResponse = message('gateway.ChaincodeEventsResponse', {
  events: repeatedNested(1, () => ChaincodeEvent),
  blockNumber: uint64(2),
});
export type ChaincodeEventsResponse = MessageOf<typeof ChaincodeEventsResponse>;

/** What one endorser or orderer said; the only type of detail that clients read. */
export const ErrorDetail = message('gateway.ErrorDetail', {
  address: text(1),
  mspId: text(2),
  message: text(3),
});
export type ErrorDetail = MessageOf<typeof ErrorDetail>;

export const Any = message('google.protobuf.Any', { typeUrl: text(1), value: bytes(2) });
export type Any = MessageOf<typeof Any>;

/** In the trailer `grpc-status-details-bin` of a gRPC answer. */
export const RpcStatus = message('google.rpc.Status', {
  code: int32(1),
  message: text(2),
  details: repeatedNested(3, () => Any),
});
export type RpcStatus = MessageOf<typeof RpcStatus>;
