import { equalBytes, limits } from '#base';
import type { Fault } from '#base';
import type { Certificate } from './certificate.ts';
import { readSerial } from './certificate.ts';
import { derTags, readAlgorithm } from './der-reader.ts';
import type { DerReader } from './der-reader.ts';
import { readTime } from './der-time.ts';
import {
  extensionValue,
  readAuthorityKeyId,
  readExtensions,
  unknownCritical,
} from './extensions.ts';
import { fault } from './faults.ts';
import { readName } from './name.ts';
import type { Name } from './name.ts';
import { oids } from './oids.ts';
import { parseSigned, verifySigned } from './signed-object.ts';
import type { SignedObject } from './signed-object.ts';

/** A certificate revocation list: its form was checked, but nobody has vouched for it yet. */
export interface Crl extends SignedObject {
  der: Uint8Array;
  issuer: Name;
  thisUpdate: Date;
  nextUpdate?: Date;
  /** Serial numbers as in `Certificate.serialHex`. */
  revoked: ReadonlySet<string>;
  authorityKeyId?: Uint8Array;
  crlNumber?: bigint;
  /**
   * OIDs of critical extensions, of the list or of an entry, that nothing here understands. The
   * listed certificates are revoked all the same; that the others are good must not be concluded.
   */
  criticalExtensionsUnknown: readonly string[];
}

/**
 * Reads a revocation list strictly.
 *
 * @param der one DER CertificateList of at most `limits.crlBytesMax`; copied.
 * @throws CRYPTO_CRL_MALFORMED also past `limits.crlEntriesMax`.
 * @see RFC 5280 section 5.1.
 */
export function parseCrl(der: Uint8Array): Crl {
  if (der.length > limits.crlBytesMax) throw fault('CRYPTO_CRL_MALFORMED', { bytes: der.length });
  return parseSigned(der, readTbs, 'CRYPTO_CRL_MALFORMED');
}

/**
 * Whether the CA signed the list: names, key identifiers, signature.
 * A CA without the cRLSign usage is believed too, as stock Fabric peers believe it: a list can
 * only take trust away, and a certificate must not be revoked for them and good for us.
 */
export function verifyCrl(crl: Crl, issuer: Certificate): boolean {
  const { authorityKeyId } = crl;
  const { subjectKeyId } = issuer;
  if (!equalBytes(crl.issuer.der, issuer.subject.der)) return false;
  const bothIds = authorityKeyId !== undefined && subjectKeyId !== undefined;
  if (bothIds && !equalBytes(authorityKeyId, subjectKeyId)) return false;
  return verifySigned(crl, issuer.publicKey);
}

function readTbs(fields: DerReader) {
  const version = fields.peekTag() === derTags.integer ? fields.integer(1) : 0n;
  if (version > 1n || version < 0n) throw malformed('version');
  const algorithm = readAlgorithm(fields);
  const issuer = readName(fields);
  const thisUpdate = readTime(fields);
  const next = fields.peekTag();
  const hasNext = next === derTags.utcTime || next === derTags.generalizedTime;
  const nextUpdate = hasNext ? readTime(fields) : undefined;
  const entries = readEntries(fields);
  const extensions = readExtensions(version === 1n ? fields.explicit(0) : undefined);
  return {
    algorithm,
    issuer,
    thisUpdate,
    nextUpdate,
    revoked: entries.revoked,
    authorityKeyId: extensionValue(extensions, oids.authorityKeyId, readAuthorityKeyId),
    crlNumber: extensionValue(extensions, oids.crlNumber, (reader) => reader.integer(21)),
    criticalExtensionsUnknown: [...unknownCritical(extensions, understood), ...entries.unknown],
  };
}

const understood: ReadonlySet<string> = new Set([oids.authorityKeyId, oids.crlNumber]);

function readEntries(fields: DerReader): { revoked: Set<string>; unknown: Set<string> } {
  const revoked = new Set<string>();
  const unknown = new Set<string>();
  if (fields.peekTag() !== derTags.sequence) return { revoked, unknown };
  const list = fields.sequence();
  while (!list.atEnd) {
    if (revoked.size >= limits.crlEntriesMax) throw malformed('too many entries');
    const entry = list.sequence();
    revoked.add(readSerial(entry).serialHex);
    readTime(entry);
    if (!entry.atEnd) readEntryExtensions(entry, unknown);
    entry.end();
  }
  return { revoked, unknown };
}

/** Reasons and dates are read over; what is critical (an indirect list's issuer) is named. */
function readEntryExtensions(entry: DerReader, unknown: Set<string>): void {
  for (const oid of unknownCritical(readExtensions(entry), new Set())) unknown.add(oid);
}

function malformed(reason: string): Fault {
  return fault('CRYPTO_DER_MALFORMED', { reason });
}
