import { limits } from '#base';
import type { Fault } from '#base';
import { contextTag, derTags, readAlgorithm } from './der-reader.ts';
import type { DerReader } from './der-reader.ts';
import { readTime } from './der-time.ts';
import { readCertificateExtensions } from './certificate-extensions.ts';
import type { CertificateExtensions } from './certificate-extensions.ts';
import { fault } from './faults.ts';
import { readName } from './name.ts';
import type { Name } from './name.ts';
import { importPublicKey } from './public-key.ts';
import type { PublicKey } from './public-key.ts';
import { parseSigned } from './signed-object.ts';
import type { SignedObject } from './signed-object.ts';

/** An X.509 certificate: its form was checked, but nobody has vouched for it yet. */
export interface Certificate extends CertificateExtensions, SignedObject {
  der: Uint8Array;
  version: 1 | 2 | 3;
  serialNumber: bigint;
  /** `serialNumber` in lower-case hex of whole octets, without a sign octet. */
  serialHex: string;
  issuer: Name;
  subject: Name;
  notBefore: Date;
  notAfter: Date;
  publicKey: PublicKey;
}

/**
 * Reads a certificate strictly.
 *
 * @param der one DER Certificate of at most `limits.certificateBytes`; copied.
 * @throws CRYPTO_CERTIFICATE_MALFORMED, CRYPTO_KEY_INVALID, CRYPTO_KEY_UNSUPPORTED.
 * @see RFC 5280 section 4.1.
 */
export function parseCertificate(der: Uint8Array): Certificate {
  if (der.length > limits.certificateBytes) {
    throw fault('CRYPTO_CERTIFICATE_MALFORMED', { bytes: der.length });
  }
  return parseSigned(der, readTbs, 'CRYPTO_CERTIFICATE_MALFORMED');
}

function readTbs(fields: DerReader) {
  const version = readVersion(fields);
  const serial = readSerial(fields);
  const algorithm = readAlgorithm(fields);
  const issuer = readName(fields);
  const validity = fields.sequence();
  const notBefore = readTime(validity);
  const notAfter = readTime(validity);
  validity.end();
  const subject = readName(fields);
  const publicKey = importPublicKey(fields.element(derTags.sequence).der);
  if (version > 1) skipUniqueIds(fields);
  const extensions = readCertificateExtensions(version === 3 ? fields.explicit(3) : undefined);
  return {
    version,
    algorithm,
    ...serial,
    issuer,
    subject,
    notBefore,
    notAfter,
    publicKey,
    ...extensions,
  };
}

function readVersion(fields: DerReader): 1 | 2 | 3 {
  const tagged = fields.explicit(0);
  if (tagged === undefined) return 1;
  const version = tagged.integer(1);
  tagged.end();
  if (version === 1n) return 2;
  if (version === 2n) return 3;
  throw malformed('version');
}

/**
 * Reads a serial number: not negative, and 20 octets at most (RFC 5280 section 4.1.2.2), with one
 * more for the sign, because CAs count the 20 without it. Zero is read: AMD's VCEKs carry it.
 *
 * @throws CRYPTO_DER_MALFORMED.
 */
export function readSerial(fields: DerReader): { serialNumber: bigint; serialHex: string } {
  const serialNumber = fields.integer(21);
  if (serialNumber < 0n || serialNumber >= 1n << 160n) throw malformed('serial number');
  return { serialNumber, serialHex: serialHexOf(serialNumber) };
}

/** The form of a serial number in `Certificate.serialHex` and in revocation lists. */
export function serialHexOf(serialNumber: bigint): string {
  const hex = serialNumber.toString(16);
  return hex.length % 2 === 0 ? hex : `0${hex}`;
}

/** Unique identifiers are obsolete and ignored (RFC 5280 section 4.1.2.8). */
function skipUniqueIds(fields: DerReader): void {
  for (const number of [1, 2]) {
    if (fields.peekTag() === contextTag(number, false)) fields.element();
  }
}

function malformed(reason: string): Fault {
  return fault('CRYPTO_DER_MALFORMED', { reason });
}
