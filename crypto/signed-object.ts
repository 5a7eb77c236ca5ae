import { verify } from 'node:crypto';
import { equalBytes, Fault } from '#base';
import { derTags, isNullOrAbsent, readAlgorithm, readDer } from './der-reader.ts';
import type { AlgorithmIdentifier, DerReader } from './der-reader.ts';
import { derBitString, derOid, derSequence } from './der-writer.ts';
import { rawToDer, readDerSignature, toLowS } from './ecdsa-signature.ts';
import { fault } from './faults.ts';
import { oids } from './oids.ts';
import { keyObjectOf, sm2KeyOf } from './public-key.ts';
import type { KeyKind, PublicKey } from './public-key.ts';
import { verifyRsaPkcs1, verifyRsaPss } from './rsa-signature.ts';
import { sm2Verify } from './sm2.ts';

/** What certificates, revocation lists and certificate requests have in common. */
export interface SignedObject {
  /** The signed part, DER. */
  tbs: Uint8Array;
  signatureAlgorithm: AlgorithmIdentifier;
  signature: Uint8Array;
}

/**
 * Reads SEQUENCE { tbs, algorithm, signature } and hands a reader of the signed part's fields to
 * `readFields`, which must consume it.
 *
 * @throws CRYPTO_DER_MALFORMED and what `readFields` throws.
 * @see RFC 5280 section 4.1.
 */
export function readSigned<Fields>(
  der: Uint8Array,
  readFields: (fields: DerReader) => Fields,
): SignedObject & { fields: Fields } {
  return readDer(der, (reader) => {
    const outer = reader.sequence();
    const tbs = outer.element(derTags.sequence);
    const signatureAlgorithm = readAlgorithm(outer);
    const signature = outer.octetBitString();
    outer.end();
    const inner = outer.inside(tbs.content);
    const fields = readFields(inner);
    inner.end();
    return { tbs: tbs.der, signatureAlgorithm, signature, fields };
  });
}

/**
 * Reads a signed object of which a copy is kept, and whose signed part names the algorithm, too.
 *
 * @throws what is malformed as a fault of this code, and what `readFields` throws.
 */
export function parseSigned<Fields extends { algorithm: AlgorithmIdentifier }>(
  der: Uint8Array,
  readFields: (fields: DerReader) => Fields,
  code: 'CRYPTO_CERTIFICATE_MALFORMED' | 'CRYPTO_CRL_MALFORMED',
): SignedObject & { der: Uint8Array } & Omit<Fields, 'algorithm'> {
  const owned = Uint8Array.from(der);
  try {
    const { fields, ...signed } = readSigned(owned, readFields);
    const { algorithm, ...rest } = fields;
    // Only the inner one is signed: if they could differ, a forger would choose the algorithm.
    if (!sameAlgorithm(algorithm, signed.signatureAlgorithm)) {
      throw fault('CRYPTO_DER_MALFORMED', { reason: 'two algorithms' });
    }
    return { der: owned, ...signed, ...rest };
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 'CRYPTO_DER_MALFORMED') throw error;
    throw fault(code, error.detail, error);
  }
}

/** Whether both are the same algorithm, to the byte of its parameters. */
function sameAlgorithm(a: AlgorithmIdentifier, b: AlgorithmIdentifier): boolean {
  if (a.oid !== b.oid) return false;
  if (a.parameters === undefined || b.parameters === undefined)
    return a.parameters === b.parameters;
  return equalBytes(a.parameters, b.parameters);
}

/**
 * Verifies the signature of a certificate, revocation list or certificate request.
 *
 * @returns false when it is wrong, when the algorithm is unknown or too weak (MD5, SHA-1), and
 *   when it does not belong to the kind of key.
 */
export function verifySigned(object: SignedObject, key: PublicKey): boolean {
  const { tbs, signatureAlgorithm, signature } = object;
  const { oid, parameters } = signatureAlgorithm;
  const known = Object.hasOwn(algorithms, oid) ? algorithms[oid] : undefined;
  if (known === undefined || !known.keyKinds.includes(key.kind)) return false;
  if (oid === oids.rsassaPss) return verifyPss(object, key);
  const parameterFree =
    key.kind === 'Ed25519' ? parameters === undefined : isNullOrAbsent(parameters);
  if (!parameterFree) return false;
  if (key.kind === 'SM2') {
    const raw = readDerSignature(signature, 32);
    return raw !== undefined && sm2Verify(sm2KeyOf(key), tbs, raw);
  }
  if (key.kind === 'RSA') return verifyRsaPkcs1(key, known.digest ?? '', tbs, signature);
  return verify(known.digest, tbs, keyObjectOf(key), signature);
}

/** Answers a DER ECDSA signature with SHA-256 over the bytes; the key may be in a token. */
export type TbsSigner = (tbs: Uint8Array) => Uint8Array | Promise<Uint8Array>;

/**
 * Signs and joins the three parts, ecdsa-with-SHA256, with low s: Fabric takes no other identity
 * as canonical (msp/mspimpl.go, isIdentitySignedInCanonicalForm).
 *
 * @param key the public half of the signer's key, to catch a wrong key or token at once.
 * @throws CRYPTO_SIGNATURE_INVALID the signer's answer does not verify.
 */
export async function writeSigned(
  tbs: Uint8Array,
  key: PublicKey,
  sign: TbsSigner,
): Promise<Uint8Array> {
  const answer = await sign(tbs);
  const signature =
    key.kind === 'P-256' || key.kind === 'P-384' ? lowSDer(key.kind, answer) : answer;
  const signatureAlgorithm = { oid: oids.ecdsaWithSha256 };
  if (!verifySigned({ tbs, signatureAlgorithm, signature }, key)) {
    throw fault('CRYPTO_SIGNATURE_INVALID', { keyKind: key.kind, fingerprint: key.fingerprint });
  }
  return derSequence(tbs, ecdsaWithSha256Der, derBitString(signature));
}

/** The AlgorithmIdentifier of every signature made here. */
export const ecdsaWithSha256Der = derSequence(derOid(oids.ecdsaWithSha256));

function lowSDer(curve: 'P-256' | 'P-384', der: Uint8Array): Uint8Array {
  const raw = readDerSignature(der, curve === 'P-256' ? 32 : 48);
  if (raw === undefined) throw fault('CRYPTO_SIGNATURE_INVALID', { reason: 'not strict DER' });
  return rawToDer(toLowS(curve, raw));
}

interface AlgorithmRow {
  keyKinds: readonly KeyKind[];
  /** OpenSSL's name; null where the algorithm has its own. */
  digest: string | null;
}

const ecdsaKinds = ['P-256', 'P-384', 'secp256k1'] as const;

const algorithms: Readonly<Record<string, AlgorithmRow>> = {
  [oids.ecdsaWithSha256]: { keyKinds: ecdsaKinds, digest: 'sha256' },
  [oids.ecdsaWithSha384]: { keyKinds: ecdsaKinds, digest: 'sha384' },
  [oids.ecdsaWithSha512]: { keyKinds: ecdsaKinds, digest: 'sha512' },
  [oids.sha256WithRsa]: { keyKinds: ['RSA'], digest: 'sha256' },
  [oids.sha384WithRsa]: { keyKinds: ['RSA'], digest: 'sha384' },
  [oids.sha512WithRsa]: { keyKinds: ['RSA'], digest: 'sha512' },
  [oids.rsassaPss]: { keyKinds: ['RSA'], digest: null },
  [oids.ed25519]: { keyKinds: ['Ed25519'], digest: null },
  [oids.sm2WithSm3]: { keyKinds: ['SM2'], digest: null },
};

const pssDigests: Readonly<Record<string, { digest: string; saltLength: number }>> = {
  [oids.sha256]: { digest: 'sha256', saltLength: 32 },
  [oids.sha384]: { digest: 'sha384', saltLength: 48 },
  [oids.sha512]: { digest: 'sha512', saltLength: 64 },
};

function verifyPss(object: SignedObject, key: PublicKey): boolean {
  const pss = readPssParameters(object.signatureAlgorithm.parameters);
  if (pss === undefined) return false;
  return verifyRsaPss(key, pss, object.tbs, object.signature);
}

/**
 * One digest for message and mask, and a salt of its length, as RFC 4055 section 3.1 recommends
 * and Go's crypto/x509 demands; everything else is not known here.
 */
function readPssParameters(parameters: Uint8Array | undefined) {
  if (parameters === undefined) return undefined;
  try {
    const seen = readDer(parameters, readPssFields);
    const known = Object.hasOwn(pssDigests, seen.digest) ? pssDigests[seen.digest] : undefined;
    const usual = seen.maskDigest === seen.digest && seen.saltLength === known?.saltLength;
    return usual ? known : undefined;
  } catch (error) {
    if (error instanceof Fault) return undefined;
    throw error;
  }
}

function readPssFields(reader: DerReader) {
  const fields = reader.sequence();
  const digest = readOnly(fields.explicit(0), (inner) => readAlgorithm(inner).oid);
  const maskDigest = readOnly(fields.explicit(1), (inner) => {
    const mask = inner.sequence();
    const isMgf1 = mask.oid() === oids.mgf1;
    const hash = readAlgorithm(mask);
    mask.end();
    return isMgf1 && isNullOrAbsent(hash.parameters) ? hash.oid : '';
  });
  const saltLength = readOnly(fields.explicit(2), (inner) => Number(inner.integer(2)));
  const trailer = fields.explicit(3);
  if (trailer !== undefined) readOnly(trailer, (inner) => inner.integer(1));
  fields.end();
  return { digest: digest ?? '', maskDigest, saltLength };
}

function readOnly<Value>(reader: DerReader | undefined, read: (inner: DerReader) => Value) {
  if (reader === undefined) return undefined;
  const value = read(reader);
  reader.end();
  return value;
}
