import { authorityKeyIdExtension, writeSerial } from './certificate-builder.ts';
import type { Certificate } from './certificate.ts';
import { parseCrl } from './crl.ts';
import { derExplicit, derInteger, derSequence, derTime } from './der-writer.ts';
import { writeExtension } from './extensions.ts';
import { oids } from './oids.ts';
import { ecdsaWithSha256Der, writeSigned } from './signed-object.ts';
import type { TbsSigner } from './signed-object.ts';

/** What a revocation list is to say. */
export interface CrlFields {
  issuer: Certificate;
  /** Grows by one with every list of the issuer. */
  crlNumber: bigint;
  thisUpdate: Date;
  nextUpdate: Date;
  revoked: readonly { serial: bigint; at: Date }[];
}

/**
 * Makes a v2 revocation list, ecdsa-with-SHA256 with low s. Fabric finds the CA of a list by its
 * authority key id, so the issuer must carry a subject key id.
 *
 * @param sign signs with the issuer's private key.
 * @returns DER.
 * @throws CRYPTO_SUBJECT_INVALID a serial; CRYPTO_SIGNATURE_INVALID the signer holds another key;
 *   CRYPTO_CRL_MALFORMED more than `limits.crlEntriesMax`.
 * @see RFC 5280 section 5.1.
 */
export async function buildCrl(fields: CrlFields, sign: TbsSigner): Promise<Uint8Array> {
  const { issuer, revoked } = fields;
  const entries = revoked.map(({ serial, at }) => derSequence(writeSerial(serial), derTime(at)));
  const extensions = [
    ...(issuer.subjectKeyId === undefined ? [] : [authorityKeyIdExtension(issuer.subjectKeyId)]),
    { oid: oids.crlNumber, critical: false, value: derInteger(fields.crlNumber) },
  ];
  const tbs = derSequence(
    derInteger(1n),
    ecdsaWithSha256Der,
    issuer.subject.der,
    derTime(fields.thisUpdate),
    derTime(fields.nextUpdate),
    // An empty list must be left out: RFC 5280 section 5.1.2.6.
    ...(entries.length === 0 ? [] : [derSequence(Buffer.concat(entries))]),
    derExplicit(0, derSequence(...extensions.map(writeExtension))),
  );
  return parseCrl(await writeSigned(tbs, issuer.publicKey, sign)).der;
}
