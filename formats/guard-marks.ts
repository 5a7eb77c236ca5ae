import { concatBytes, utf8 } from '#base';
import { message } from './protobuf.ts';
import type { MessageOf } from './protobuf.ts';
import { bytes, nested, repeatedNested, text, uint64 } from './protobuf-fields.ts';
import { SignBlockCall } from './zone-signer.ts';

/** The newest block of a channel that a guard let be signed. */
export const GuardMark = message('countersign.GuardMark', {
  channel: text(1),
  number: uint64(2),
  /** SHA-256 of the header's DER, 32 bytes. */
  headerHash: bytes(3),
});
export type GuardMark = MessageOf<typeof GuardMark>;

/** Where a guard stands, for another one to take up. */
export const GuardMarks = message('countersign.GuardMarks', {
  /** Label of the token whose host has the guard. */
  token: text(1),
  /** Seconds since the Unix epoch. */
  time: uint64(2),
  marks: repeatedNested(3, () => GuardMark),
});
export type GuardMarks = MessageOf<typeof GuardMarks>;

export const SignedGuardMarks = message('countersign.SignedGuardMarks', {
  /** countersign.GuardMarks. */
  statement: bytes(1),
  /** PEM of who signed it: the host's attestation key, or its ordering key. */
  certificate: bytes(2),
  /** Over {@link guardMarksContent}. */
  signature: bytes(3),
});
export type SignedGuardMarks = MessageOf<typeof SignedGuardMarks>;

/** What is signed. It starts with a name of its own, which nothing else does that these keys sign. */
export function guardMarksContent(statement: Uint8Array): Uint8Array {
  return concatBytes(utf8('countersign-guard-marks/1\n'), statement);
}

/** A block that was seen elsewhere with this host's signature. */
export const WitnessCall = message('countersign.WitnessCall', {
  block: nested(1, () => SignBlockCall),
  signature: bytes(2),
});
export type WitnessCall = MessageOf<typeof WitnessCall>;
