/** What a bundle carries beside Fabric's own messages: results, events, and the evidence log's root. */
import { message } from './protobuf.ts';
import type { MessageOf } from './protobuf.ts';
import {
  bytes,
  int32,
  repeatedBytes,
  repeatedNested,
  text,
  uint32,
  uint64,
} from './protobuf-fields.ts';

/** First argument of a bundle's proposal; the signed requests follow it. */
export const bundleFunction = 'countersign.bundle/1';
/** First and only argument of the zone's own transaction that makes approvals keys in `_lifecycle`. */
export const approvalKeysFunction = 'countersign.approval-keys/1';
/** Name of the one Fabric event that carries the events of all requests of a bundle. */
export const bundleEventName = 'countersign.bundle';

/** Outcome of one request; its canonical bytes are what the evidence log's leaf commits to. */
export const RequestResult = message('countersign.RequestResult', {
  /** SHA-256 of the JWS signing input, 32 bytes. */
  requestId: bytes(1),
  /** 200, or 400-599 when the request failed and was rolled back alone. */
  status: int32(2),
  message: text(3),
  /** One per operation, empty when the request failed. */
  payloads: repeatedBytes(4),
  /** Fault code of a failed request, empty when it succeeded. */
  code: text(5),
});
export type RequestResult = MessageOf<typeof RequestResult>;

export const BundleResult = message('countersign.BundleResult', {
  results: repeatedNested(1, () => RequestResult),
});
export type BundleResult = MessageOf<typeof BundleResult>;

export const RequestEvent = message('countersign.RequestEvent', {
  /** Index of the request in its bundle. */
  requestIndex: uint32(1),
  name: text(2),
  payload: bytes(3),
});
export type RequestEvent = MessageOf<typeof RequestEvent>;

export const BundleEvents = message('countersign.BundleEvents', {
  events: repeatedNested(1, () => RequestEvent),
});
export type BundleEvents = MessageOf<typeof BundleEvents>;

/** OrdererBlockMetadata.consenter_metadata: the evidence log after this block. */
export const ConsenterMetadata = message('countersign.ConsenterMetadata', {
  treeSize: uint64(1),
  /** RFC 6962 root, 32 bytes. */
  rootHash: bytes(2),
});
export type ConsenterMetadata = MessageOf<typeof ConsenterMetadata>;

/** Input of an evidence log leaf; the leaf hash is SHA-256(0x00 ‖ these bytes). */
export const EvidenceLeaf = message('countersign.EvidenceLeaf', {
  /** SHA-256 of the compact JWS, 32 bytes. */
  requestHash: bytes(1),
  /** SHA-256 of the RequestResult's bytes, 32 bytes. */
  resultHash: bytes(2),
  blockNumber: uint64(3),
  txId: text(4),
  /** Index of the request in its bundle. */
  requestIndex: uint32(5),
  validationCode: uint32(6),
});
export type EvidenceLeaf = MessageOf<typeof EvidenceLeaf>;
