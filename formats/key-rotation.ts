import { concatBytes, equalBytes, latin1Of, utf8 } from '#base';
import type { Fault } from '#base';
import { certificatePem, parsePem, verifyFabric } from '#crypto';
import type { Certificate } from '#crypto';
import { SerializedIdentity } from './fabric-policies.ts';
import { fault } from './faults.ts';
import { message } from './protobuf.ts';
import { bytes, text, uint32 } from './protobuf-fields.ts';
import { signerRoles } from './zone-signer.ts';

/** What the old and the new version of a key both sign when one takes the other's place. */
export const RotationStatement = message('countersign.RotationStatement', {
  /** Name of the key, the same for all its versions. */
  key: text(1),
  role: text(2),
  mspid: text(3),
  /** The new version's number; the old one's is one less. */
  version: uint32(4),
  /** PEM, as they stand in the identities. */
  oldCertificate: bytes(5),
  newCertificate: bytes(6),
  /** SHA-256 of the operators' order, 32 bytes; empty where no order is asked for. */
  order: bytes(7),
});

/** The record of a rotation as the ledger has it. */
export const KeyRotation = message('countersign.KeyRotation', {
  /** countersign.RotationStatement. */
  statement: bytes(1),
  oldSignature: bytes(2),
  newSignature: bytes(3),
});

/** A rotation whose signatures are right. */
export interface VerifiedRotation {
  readonly key: string;
  readonly role: string;
  readonly mspid: string;
  readonly order: Uint8Array;
  readonly old: KeyVersionIdentity;
  readonly next: KeyVersionIdentity;
}

/** One version of a key, as the channel knows it. */
export interface KeyVersionIdentity {
  /** From 1. */
  readonly version: number;
  /** Of the object in the token. */
  readonly label: string;
  readonly certificate: Certificate;
  /** msp.SerializedIdentity bytes. */
  readonly serializedIdentity: Uint8Array;
}

/** Roles of keys that the ledger knows versions of. */
const rotatedRoles: ReadonlySet<string> = new Set(signerRoles);
const keyName = /^[A-Za-z0-9][A-Za-z0-9._@-]{0,55}$/;
const versionMax = 99_999;

/** Label of a key's version in its token. */
export function versionLabel(key: string, version: number): string {
  return version === 1 ? key : `${key}~${version}`;
}

/** Whether a key of this name can have versions. */
export function isKeyName(name: string): boolean {
  return keyName.test(name);
}

/** What is signed. No protobuf message begins like it, so it cannot be taken for anything else. */
export function rotationContent(statement: Uint8Array): Uint8Array {
  return concatBytes(utf8('countersign-key-rotation/1\n'), statement);
}

/**
 * Reads a record and verifies both signatures. Whether the certificates count for anything is for
 * whoever knows the channel.
 *
 * @throws FORMATS_ROTATION_INVALID, FORMATS_PROTOBUF_INVALID, FORMATS_PROTOBUF_NOT_CANONICAL;
 *   crypto's faults for a certificate that cannot be read.
 */
export function verifyRotation(record: Uint8Array): VerifiedRotation {
  const rotation = readRotation(record);
  const { statement, oldSignature, newSignature } = KeyRotation.decodeCanonical(record);
  const content = rotationContent(statement);
  const { old, next } = rotation;
  if (!verifyFabric(old.certificate.publicKey, content, oldSignature)) throw invalid('old key');
  if (!verifyFabric(next.certificate.publicKey, content, newSignature)) throw invalid('new key');
  return rotation;
}

/** As {@link verifyRotation}, without the signatures: for a record that was verified before. */
export function readRotation(record: Uint8Array): VerifiedRotation {
  const { statement } = KeyRotation.decodeCanonical(record);
  const said = RotationStatement.decodeCanonical(statement);
  const { key, role, mspid, version, order } = said;
  if (!isKeyName(key) || mspid === '') throw invalid('name');
  if (!rotatedRoles.has(role)) throw invalid('role');
  if (version < 2 || version > versionMax) throw invalid('version');
  if (order.length !== 0 && order.length !== 32) throw invalid('order');
  const old = identityOf(key, mspid, version - 1, said.oldCertificate);
  const next = identityOf(key, mspid, version, said.newCertificate);
  // As text: another authority may write the same name in another kind of string.
  if (old.certificate.subject.rfc4514 !== next.certificate.subject.rfc4514) {
    throw invalid('subject');
  }
  if (equalBytes(old.certificate.publicKey.spki, next.certificate.publicKey.spki)) {
    throw invalid('not a new key');
  }
  return { key, role, mspid, order, old, next };
}

function identityOf(
  key: string,
  mspid: string,
  version: number,
  pem: Uint8Array,
): KeyVersionIdentity {
  // PEM is ASCII; whatever is not does not come out as it went in.
  const certificate = parsePem(latin1Of(pem));
  // Identities are compared as bytes: one certificate has one PEM.
  if (!equalBytes(utf8(certificatePem(certificate.der)), pem)) throw invalid('certificate');
  if (certificate.publicKey.kind !== 'P-256') throw invalid('kind of key');
  return {
    version,
    label: versionLabel(key, version),
    certificate,
    serializedIdentity: SerializedIdentity.encode({ mspid, idBytes: pem }),
  };
}

function invalid(what: string): Fault {
  return fault('FORMATS_ROTATION_INVALID', { what });
}
