import { contextTag, derTags } from './der-reader.ts';
import type { DerReader } from './der-reader.ts';
import {
  extensionValue,
  readAuthorityKeyId,
  readExtensions,
  readKeyId,
  unknownCritical,
} from './extensions.ts';
import type { Extensions } from './extensions.ts';
import { fault } from './faults.ts';
import { readIpAddress } from './ip-address.ts';
import { oids } from './oids.ts';

/** The bits of a key usage, in their order (RFC 5280 section 4.2.1.3). */
export const keyUsages = [
  'digitalSignature',
  'contentCommitment',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
  'encipherOnly',
  'decipherOnly',
] as const;

export type KeyUsage = (typeof keyUsages)[number];

export interface SubjectAltNames {
  dnsNames: string[];
  /** As RFC 5952 and dotted quads write them. */
  ipAddresses: string[];
  emailAddresses: string[];
  uris: string[];
}

/** What the extensions of a certificate say. */
export interface CertificateExtensions {
  isCa: boolean;
  /** How many CAs may stand below this one; undefined for no bound. */
  pathLength?: number;
  keyUsage?: ReadonlySet<KeyUsage>;
  /** OIDs. */
  extendedKeyUsages?: readonly string[];
  subjectKeyId?: Uint8Array;
  authorityKeyId?: Uint8Array;
  subjectAltNames?: SubjectAltNames;
  /** OIDs of critical extensions that nothing here understands: a chain through one is refused. */
  criticalExtensionsUnknown: readonly string[];
  /** Every extension by its OID, for those who know more of them. */
  extensions: Extensions;
}

/**
 * Reads the extensions of a certificate.
 *
 * @param list reader of the `[3]` element; undefined when the certificate has none.
 * @throws CRYPTO_DER_MALFORMED.
 */
export function readCertificateExtensions(list: DerReader | undefined): CertificateExtensions {
  const extensions = readExtensions(list);
  const constraints = extensionValue(extensions, oids.basicConstraints, readBasicConstraints);
  return {
    isCa: constraints?.isCa ?? false,
    pathLength: constraints?.pathLength,
    keyUsage: extensionValue(extensions, oids.keyUsage, readKeyUsage),
    extendedKeyUsages: extensionValue(extensions, oids.extendedKeyUsage, readOidList),
    subjectKeyId: extensionValue(extensions, oids.subjectKeyId, readKeyId),
    authorityKeyId: extensionValue(extensions, oids.authorityKeyId, readAuthorityKeyId),
    subjectAltNames: extensionValue(extensions, oids.subjectAltName, readAltNames),
    criticalExtensionsUnknown: unknownCritical(extensions, understood),
    extensions,
  };
}

/** Policies and distribution points only inform here, so their being critical demands nothing. */
const understood: ReadonlySet<string> = new Set([
  oids.basicConstraints,
  oids.keyUsage,
  oids.extendedKeyUsage,
  oids.subjectKeyId,
  oids.authorityKeyId,
  oids.subjectAltName,
  oids.certificatePolicies,
  oids.crlDistributionPoints,
]);

function readBasicConstraints(reader: DerReader): { isCa: boolean; pathLength?: number } {
  const fields = reader.sequence();
  const isCa = fields.peekTag() === derTags.boolean ? fields.boolean() : false;
  const pathLength = fields.atEnd ? undefined : Number(fields.integer(4));
  fields.end();
  if (pathLength !== undefined && (pathLength < 0 || !isCa)) throw malformed('path length');
  return { isCa, pathLength };
}

/** Trailing zero bits, which DER forbids, are common in certificates and change nothing. */
function readKeyUsage(reader: DerReader): ReadonlySet<KeyUsage> {
  const [unusedBits, ...octets] = reader.element(derTags.bitString).content;
  const last = octets.at(-1) ?? 0;
  const wellFormed =
    unusedBits !== undefined &&
    octets.length <= 2 &&
    unusedBits < (octets.length === 0 ? 1 : 8) &&
    (last & ((1 << unusedBits) - 1)) === 0;
  if (!wellFormed) throw malformed('key usage');
  const isSet = (bit: number) => (((octets[bit >> 3] ?? 0) << (bit & 7)) & 0x80) !== 0;
  return new Set(keyUsages.filter((_usage, bit) => isSet(bit)));
}

function readOidList(reader: DerReader): string[] {
  const fields = reader.sequence();
  const list: string[] = [];
  while (!fields.atEnd) list.push(fields.oid());
  if (list.length === 0) throw malformed('empty list of object identifiers');
  return list;
}

/** Names of kinds that nobody here asks for (directory names, registered ids) are skipped. */
function readAltNames(reader: DerReader): SubjectAltNames {
  const names: SubjectAltNames = { dnsNames: [], ipAddresses: [], emailAddresses: [], uris: [] };
  const fields = reader.sequence();
  while (!fields.atEnd) {
    const { tag, content } = fields.element();
    if (tag === contextTag(1, false)) names.emailAddresses.push(ia5Text(content));
    else if (tag === contextTag(2, false)) names.dnsNames.push(ia5Text(content));
    else if (tag === contextTag(6, false)) names.uris.push(ia5Text(content));
    else if (tag === contextTag(7, false)) names.ipAddresses.push(readIpAddress(content));
  }
  return names;
}

function ia5Text(content: Uint8Array): string {
  if (content.some((octet) => octet >= 0x80)) throw malformed('character outside IA5');
  return Buffer.from(content).toString('latin1');
}

function malformed(reason: string) {
  return fault('CRYPTO_DER_MALFORMED', { reason });
}
