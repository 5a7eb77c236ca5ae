import { limits } from '#base';
import { contextTag, derTags, readDer } from './der-reader.ts';
import type { DerReader } from './der-reader.ts';
import { derBoolean, derOctetString, derOid, derSequence } from './der-writer.ts';
import { fault } from './faults.ts';

/** An extension of a certificate, request or revocation list (RFC 5280 section 4.2). */
export interface Extension {
  oid: string;
  critical: boolean;
  /** What the OCTET STRING holds: DER of a type the OID names. */
  value: Uint8Array;
}

export type Extensions = ReadonlyMap<string, Extension>;

/**
 * Reads the Extensions inside a `[n] EXPLICIT`.
 *
 * @param list reader of the tagged element; undefined when there is none.
 * @throws CRYPTO_DER_MALFORMED also for an extension that comes twice, and for too many.
 */
export function readExtensions(list: DerReader | undefined): Extensions {
  const extensions = new Map<string, Extension>();
  if (list === undefined) return extensions;
  const fields = list.sequence();
  while (!fields.atEnd) {
    const extension = readExtension(fields.sequence());
    if (extensions.has(extension.oid)) throw malformed('an extension comes twice', extension.oid);
    if (extensions.size >= limits.certificateExtensionsMax) throw malformed('too many extensions');
    extensions.set(extension.oid, extension);
  }
  list.end();
  return extensions;
}

export function writeExtension({ oid, critical, value }: Extension): Uint8Array {
  const flag = critical ? [derBoolean(true)] : [];
  return derSequence(derOid(oid), ...flag, derOctetString(value));
}

/** The value of one extension, read whole; undefined when it is absent. */
export function extensionValue<Value>(
  extensions: Extensions,
  oid: string,
  read: (reader: DerReader) => Value,
): Value | undefined {
  const extension = extensions.get(oid);
  return extension === undefined ? undefined : readDer(extension.value, read);
}

/** OIDs of the critical extensions that are not in the set. */
export function unknownCritical(extensions: Extensions, known: ReadonlySet<string>): string[] {
  return [...extensions.values()]
    .filter((extension) => extension.critical && !known.has(extension.oid))
    .map((extension) => extension.oid);
}

const keyIdBytesMax = 64;

/** Reads a SubjectKeyIdentifier. */
export function readKeyId(reader: DerReader): Uint8Array {
  return checkedKeyId(reader.octetString());
}

/** Reads the keyIdentifier of an AuthorityKeyIdentifier; the issuer's name and serial are skipped. */
export function readAuthorityKeyId(reader: DerReader): Uint8Array | undefined {
  const fields = reader.sequence();
  const keyId = fields.implicit(0);
  if (fields.peekTag() === contextTag(1, true)) fields.element();
  if (fields.peekTag() === contextTag(2, false)) fields.element();
  fields.end();
  return keyId === undefined ? undefined : checkedKeyId(keyId);
}

function checkedKeyId(keyId: Uint8Array): Uint8Array {
  if (keyId.length === 0 || keyId.length > keyIdBytesMax) throw malformed('key identifier size');
  return keyId;
}

/** Explicit FALSE is not DER, but certificates carry it and Go's crypto/x509 takes it. */
function readExtension(fields: DerReader): Extension {
  const oid = fields.oid();
  const critical = fields.peekTag() === derTags.boolean ? fields.boolean() : false;
  const value = fields.octetString();
  fields.end();
  return { oid, critical, value };
}

function malformed(reason: string, oid?: string) {
  return fault('CRYPTO_DER_MALFORMED', { reason, oid });
}
