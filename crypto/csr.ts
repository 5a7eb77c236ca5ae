import { Fault, limits } from '#base';
import { contextTag, derTags } from './der-reader.ts';
import type { DerReader } from './der-reader.ts';
import { derExplicit, derInteger, derSequence } from './der-writer.ts';
import { fault } from './faults.ts';
import { readName, writeName } from './name.ts';
import type { Name, SubjectFields } from './name.ts';
import { importPublicKey } from './public-key.ts';
import type { PublicKey } from './public-key.ts';
import { readSigned, verifySigned, writeSigned } from './signed-object.ts';
import type { TbsSigner } from './signed-object.ts';

/** A certificate request whose maker proved to hold the private key. */
export interface CertificateRequest {
  der: Uint8Array;
  subject: Name;
  publicKey: PublicKey;
}

const attributesMax = 16;

/**
 * Reads a PKCS#10 request and verifies its self-signature.
 * Attributes are read over: what a certificate says is decided by who issues it.
 *
 * @param der one DER CertificationRequest of at most `limits.certificateBytes`; copied.
 * @throws CRYPTO_CSR_MALFORMED, CRYPTO_SIGNATURE_INVALID, CRYPTO_KEY_INVALID,
 *   CRYPTO_KEY_UNSUPPORTED.
 * @see RFC 2986 section 4.
 */
export function parseCsr(der: Uint8Array): CertificateRequest {
  if (der.length > limits.certificateBytes) {
    throw fault('CRYPTO_CSR_MALFORMED', { bytes: der.length });
  }
  const owned = Uint8Array.from(der);
  const { fields, ...signed } = asCsrFault(() => readSigned(owned, readInfo));
  if (!verifySigned(signed, fields.publicKey)) {
    throw fault('CRYPTO_SIGNATURE_INVALID', { subject: fields.subject.rfc4514 });
  }
  return { der: owned, ...fields };
}

/**
 * Makes a PKCS#10 request without attributes, ecdsa-with-SHA256.
 *
 * @param request a name that was read goes in as it was; `publicKeySpki` is DER, P-256 or P-384.
 * @param sign signs with the private key of `publicKeySpki`.
 * @returns DER.
 * @throws CRYPTO_SUBJECT_INVALID, CRYPTO_KEY_INVALID, CRYPTO_KEY_UNSUPPORTED,
 *   CRYPTO_SIGNATURE_INVALID the signer holds another key.
 */
export async function buildCsr(
  request: { subject: SubjectFields | Name; publicKeySpki: Uint8Array },
  sign: TbsSigner,
): Promise<Uint8Array> {
  const key = importPublicKey(request.publicKeySpki);
  const { subject } = request;
  const name = 'der' in subject ? subject.der : writeName(subject);
  const info = derSequence(derInteger(0n), name, key.spki, derExplicit(0));
  return writeSigned(info, key, sign);
}

function readInfo(fields: DerReader): { subject: Name; publicKey: PublicKey } {
  if (fields.integer(1) !== 0n) throw fault('CRYPTO_DER_MALFORMED', { reason: 'version' });
  const subject = readName(fields);
  const publicKey = importPublicKey(fields.element(derTags.sequence).der);
  const attributes = fields.nested(contextTag(0, true));
  for (let count = 0; !attributes.atEnd; count += 1) {
    if (count >= attributesMax) throw fault('CRYPTO_DER_MALFORMED', { reason: 'attributes' });
    attributes.element(derTags.sequence);
  }
  return { subject, publicKey };
}

function asCsrFault<Value>(read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 'CRYPTO_DER_MALFORMED') throw error;
    throw fault('CRYPTO_CSR_MALFORMED', error.detail, error);
  }
}
