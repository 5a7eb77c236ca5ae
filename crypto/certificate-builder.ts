import { utf8 } from '#base';
import { parseCertificate } from './certificate.ts';
import type { Certificate } from './certificate.ts';
import { keyUsages } from './certificate-extensions.ts';
import type { KeyUsage } from './certificate-extensions.ts';
import {
  derBoolean,
  derExplicit,
  derImplicit,
  derInteger,
  derNamedBits,
  derOctetString,
  derOid,
  derSequence,
  derTime,
} from './der-writer.ts';
import { sha256 } from './digests.ts';
import { writeExtension } from './extensions.ts';
import type { Extension } from './extensions.ts';
import { fault } from './faults.ts';
import { writeIpAddress } from './ip-address.ts';
import { writeName } from './name.ts';
import type { SubjectFields } from './name.ts';
import { oids } from './oids.ts';
import { importPublicKey, publicKeyBits } from './public-key.ts';
import type { PublicKey } from './public-key.ts';
import { ecdsaWithSha256Der, writeSigned } from './signed-object.ts';
import type { TbsSigner } from './signed-object.ts';

/** What a certificate is to say. */
export interface CertificateFields {
  subject: SubjectFields;
  /** The issuing CA's certificate, or `self` for a root. */
  issuer: Certificate | 'self';
  /** Positive, below 2^159: 20 octets with the sign (RFC 5280 section 4.1.2.2). */
  serial: bigint;
  /** To the second; a fraction is cut off. */
  notBefore: Date;
  notAfter: Date;
  /** DER, of any kind that `importPublicKey` reads. */
  publicKeySpki: Uint8Array;
  /** Present for a CA. */
  ca?: { pathLength?: number };
  /** None leaves the extension out, and every use open. */
  keyUsages: readonly KeyUsage[];
  /** OIDs. */
  extendedKeyUsages?: readonly string[];
  dnsNames?: readonly string[];
  ipAddresses?: readonly string[];
  /** Further extensions, after ours. */
  extra?: readonly Extension[];
}

/**
 * Makes an X.509 v3 certificate, ecdsa-with-SHA256 with low s, that Go's crypto/x509 and Fabric's
 * MSP take: subject key id is SHA-256 of the public key's bits, as Fabric computes it.
 *
 * @param sign signs with the issuer's private key.
 * @returns DER.
 * @throws CRYPTO_SUBJECT_INVALID serial, time, name or address; CRYPTO_KEY_INVALID,
 *   CRYPTO_KEY_UNSUPPORTED; CRYPTO_SIGNATURE_INVALID the signer holds another key.
 * @see RFC 5280 section 4.1.
 */
export async function buildCertificate(
  fields: CertificateFields,
  sign: TbsSigner,
): Promise<Uint8Array> {
  const key = importPublicKey(fields.publicKeySpki);
  const subject = writeName(fields.subject);
  const { issuer } = fields;
  const tbs = derSequence(
    derExplicit(0, derInteger(2n)),
    writeSerial(fields.serial),
    ecdsaWithSha256Der,
    issuer === 'self' ? subject : issuer.subject.der,
    writeValidity(fields),
    subject,
    key.spki,
    derExplicit(3, derSequence(...extensionsOf(fields, key).map(writeExtension))),
  );
  const der = await writeSigned(tbs, issuer === 'self' ? key : issuer.publicKey, sign);
  // Nothing leaves that our own reader would refuse.
  return parseCertificate(der).der;
}

/** The subject key id of certificates made here: SHA-256 of the public key's bits, 32 bytes. */
export function subjectKeyIdOf(key: PublicKey): Uint8Array {
  return sha256(publicKeyBits(key));
}

/** @throws CRYPTO_SUBJECT_INVALID. */
export function writeSerial(serial: bigint): Uint8Array {
  if (serial <= 0n || serial >= 1n << 159n) throw fault('CRYPTO_SUBJECT_INVALID', { serial });
  return derInteger(serial);
}

/** The AuthorityKeyIdentifier extension. */
export function authorityKeyIdExtension(keyId: Uint8Array): Extension {
  const value = derSequence(derImplicit(0, keyId));
  return { oid: oids.authorityKeyId, critical: false, value };
}

function writeValidity({ notBefore, notAfter }: CertificateFields): Uint8Array {
  const valid = notBefore.getTime() <= notAfter.getTime() && notAfter.getUTCFullYear() <= 9999;
  if (!valid) throw fault('CRYPTO_SUBJECT_INVALID', { reason: 'validity' });
  return derSequence(derTime(notBefore), derTime(notAfter));
}

function extensionsOf(fields: CertificateFields, key: PublicKey): Extension[] {
  const { issuer, extendedKeyUsages = [] } = fields;
  const ownKeyId = subjectKeyIdOf(key);
  const issuerKeyId = issuer === 'self' ? ownKeyId : issuer.subjectKeyId;
  const list: Extension[] = [
    ...keyUsageExtension(fields.keyUsages),
    { oid: oids.basicConstraints, critical: true, value: writeBasicConstraints(fields.ca) },
    { oid: oids.subjectKeyId, critical: false, value: derOctetString(ownKeyId) },
  ];
  if (extendedKeyUsages.length > 0) {
    const value = derSequence(...extendedKeyUsages.map(derOid));
    list.push({ oid: oids.extendedKeyUsage, critical: false, value });
  }
  if (issuerKeyId !== undefined) list.push(authorityKeyIdExtension(issuerKeyId));
  const names = altNames(fields);
  if (names.length > 0) {
    list.push({ oid: oids.subjectAltName, critical: false, value: derSequence(...names) });
  }
  return [...list, ...(fields.extra ?? [])];
}

/** An empty key usage would forbid every use: RFC 5280 section 4.2.1.3 has one bit at least. */
function keyUsageExtension(usages: readonly KeyUsage[]): Extension[] {
  if (usages.length === 0) return [];
  const value = derNamedBits(usages.map((usage) => keyUsages.indexOf(usage)));
  return [{ oid: oids.keyUsage, critical: true, value }];
}

/** The CA flag's default is false, and DER leaves a default out. */
function writeBasicConstraints(ca: CertificateFields['ca']): Uint8Array {
  if (ca === undefined) return derSequence();
  const { pathLength } = ca;
  const bound = pathLength === undefined ? [] : [derInteger(BigInt(pathLength))];
  return derSequence(derBoolean(true), ...bound);
}

function altNames({ dnsNames = [], ipAddresses = [] }: CertificateFields): Uint8Array[] {
  return [
    ...dnsNames.map((name) => derImplicit(2, dnsName(name))),
    ...ipAddresses.map((address) => derImplicit(7, writeIpAddress(address))),
  ];
}

function dnsName(name: string): Uint8Array {
  // Underscores are no host names, but container networks use them and Go matches them.
  const valid = name.length <= 253 && /^(\*\.)?[\w-]{1,63}(\.[\w-]{1,63})*$/.test(name);
  if (!valid) throw fault('CRYPTO_SUBJECT_INVALID', { dnsName: name });
  return utf8(name);
}
