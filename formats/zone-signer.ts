/** Messages between the zone's processes and a signer host. The host signs these contents, never a digest. */
import { message } from './protobuf.ts';
import type { MessageOf } from './protobuf.ts';
import {
  bool,
  bytes,
  repeatedBytes,
  repeatedNested,
  repeatedText,
  text,
  uint32,
  uint64,
} from './protobuf-fields.ts';

/** Method numbers on the link to a signer host. */
export const signerMethods = {
  describe: 1,
  endorse: 2,
  signEnvelope: 3,
  signBlock: 4,
  signCsr: 5,
  report: 6,
  certifyKey: 7,
  retireKey: 8,
  witness: 9,
  guardMarks: 10,
} as const;

/**
 * What a key is for; it decides what its host signs with it.
 * node: endorsements; ordering: blocks and CONFIG envelopes; relay: the envelopes of bundles;
 * attestation: where the guard stands, and the checkpoints of a log.
 */
export const signerRoles = ['node', 'ordering', 'relay', 'attestation'] as const;
export type SignerRole = (typeof signerRoles)[number];

export const SignerKey = message('countersign.SignerKey', {
  /** The key's name; its versions' labels add their number to it. */
  label: text(1),
  role: text(2),
  mspid: text(3),
  /** PEM, as it stands in `serializedIdentity`; empty while the key waits for its certificate. */
  certificate: bytes(4),
  /** msp.SerializedIdentity, byte for byte what endorsements and headers carry. */
  serializedIdentity: bytes(5),
  /** Why the key cannot sign now, as a fault's code; empty while it can. */
  faultCode: text(6),
  /** Of the oldest version that signs, which is the one described; from 1. */
  version: uint32(7),
});
export type SignerKey = MessageOf<typeof SignerKey>;

export const SignerDescription = message('countersign.SignerDescription', {
  keys: repeatedNested(1, () => SignerKey),
});
export type SignerDescription = MessageOf<typeof SignerDescription>;

export const EndorseItem = message('countersign.EndorseItem', {
  keyLabel: text(1),
  /** protos.ProposalResponsePayload in canonical form. */
  proposalResponsePayload: bytes(2),
});
export type EndorseItem = MessageOf<typeof EndorseItem>;

export const EndorseCall = message('countersign.EndorseCall', {
  items: repeatedNested(1, () => EndorseItem),
});
export type EndorseCall = MessageOf<typeof EndorseCall>;

export const SignEnvelopeItem = message('countersign.SignEnvelopeItem', {
  keyLabel: text(1),
  /** common.Payload in canonical form; the signature is over these bytes. */
  payload: bytes(2),
});
export type SignEnvelopeItem = MessageOf<typeof SignEnvelopeItem>;

export const SignEnvelopeCall = message('countersign.SignEnvelopeCall', {
  items: repeatedNested(1, () => SignEnvelopeItem),
});
export type SignEnvelopeCall = MessageOf<typeof SignEnvelopeCall>;

export const SignBlockCall = message('countersign.SignBlockCall', {
  keyLabel: text(1),
  channel: text(2),
  number: uint64(3),
  /** Hash of the header before, 32 bytes. */
  previousHash: bytes(4),
  /** SHA-256 of the block's envelopes joined, 32 bytes. */
  dataHash: bytes(5),
  /** common.OrdererBlockMetadata in canonical form, `lastConfig` present. */
  metadataValue: bytes(6),
  /** common.SignatureHeader in canonical form, `creator` being the key's identity. */
  signatureHeader: bytes(7),
});
export type SignBlockCall = MessageOf<typeof SignBlockCall>;

export const SignCsrCall = message('countersign.SignCsrCall', {
  keyLabel: text(1),
  commonName: text(2),
  organization: text(3),
  organizationalUnits: repeatedText(4),
});
export type SignCsrCall = MessageOf<typeof SignCsrCall>;

/** The certificate of a version that was ordered; the answer's one item is a countersign.KeyRotation. */
export const CertifyKeyCall = message('countersign.CertifyKeyCall', {
  /** Name of the key, not of a version. */
  key: text(1),
  /** PEM. */
  certificate: bytes(2),
});
export type CertifyKeyCall = MessageOf<typeof CertifyKeyCall>;

/** Ends the versions before the newest one, once the ledger has its record. */
export const RetireKeyCall = message('countersign.RetireKeyCall', {
  key: text(1),
  /** A receipt file, of the request that put the record on the ledger or found it there. */
  receipt: bytes(2),
});
export type RetireKeyCall = MessageOf<typeof RetireKeyCall>;

/** A version whose private key is gone. */
export const RetiredKey = message('countersign.RetiredKey', {
  label: text(1),
  /** SHA-256 of its SubjectPublicKeyInfo, hex. */
  fingerprint: text(2),
  /** Signatures it made, at least: what a crash cut off is not counted. */
  signatures: uint64(3),
});
export type RetiredKey = MessageOf<typeof RetiredKey>;

export const RetireKeyAnswer = message('countersign.RetireKeyAnswer', {
  retired: repeatedNested(1, () => RetiredKey),
});
export type RetireKeyAnswer = MessageOf<typeof RetireKeyAnswer>;

/** ECDSA P-256 signatures, DER with low s, in the order of the call's items. */
export const SignerAnswer = message('countersign.SignerAnswer', { signatures: repeatedBytes(1) });
export type SignerAnswer = MessageOf<typeof SignerAnswer>;

/** What a signer host has to say of one key, for monitoring. */
export const SignerKeyReport = message('countersign.SignerKeyReport', {
  label: text(1),
  role: text(2),
  mspid: text(3),
  /** As in {@link SignerKey}. */
  faultCode: text(4),
  /** End of the certificate, seconds since the Unix epoch; 0 without one. */
  certificateEnd: uint64(5),
  /** Signatures whose time lay in each bucket, one bucket more than `latencyBucketsUs`. */
  latencyBuckets: repeatedNested(6, () => ReportedCount),
  signatures: uint64(7),
  /** Time of all signatures together, in microseconds. */
  totalUs: uint64(8),
  /** From 1; 0 for a key that has no versions. */
  version: uint32(9),
  /** Signatures since the key was made, at least: what a crash cut off is not counted. */
  lifeSignatures: uint64(10),
  /** Whether it was brought to its token from outside. */
  isImported: bool(11),
});
export type SignerKeyReport = MessageOf<typeof SignerKeyReport>;

/** A number with a name. */
export const ReportedCount = message('countersign.ReportedCount', {
  name: text(1),
  value: uint64(2),
});
export type ReportedCount = MessageOf<typeof ReportedCount>;

/** What a signer host has to say of its token, for monitoring. */
export const SignerReport = message('countersign.SignerReport', {
  tokenLabel: text(1),
  /** `closed`, `halfOpen` or `open`. */
  breaker: text(2),
  /** Why the token does not sign, as a fault's code; empty while it does. */
  faultCode: text(3),
  keys: repeatedNested(4, () => SignerKeyReport),
  /** Things that are now: processes, sessions, sessions in use, signatures waiting, keys that are to be destroyed, canary's age. */
  gauges: repeatedNested(5, () => ReportedCount),
  /** Things that happened since the host started. */
  counters: repeatedNested(6, () => ReportedCount),
  /** Why no block is signed any more, as a fault's code; empty while blocks are. */
  guardFaultCode: text(7),
  /** Why nothing is signed any more for want of a record, as a fault's code. */
  logFaultCode: text(8),
});
export type SignerReport = MessageOf<typeof SignerReport>;
