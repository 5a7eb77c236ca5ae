import { limits } from '#base';
import { readAlgorithm, readDer } from './der-reader.ts';
import type { AlgorithmIdentifier } from './der-reader.ts';
import { derBitString, derNull, derOid, derSequence } from './der-writer.ts';
import { oids } from './oids.ts';

/** A SubjectPublicKeyInfo taken apart (RFC 5280 section 4.1.2.7). */
export interface Spki {
  algorithm: AlgorithmIdentifier;
  /** The octets of the BIT STRING. */
  bits: Uint8Array;
}

/** @throws CRYPTO_DER_MALFORMED. */
export function readSpki(spki: Uint8Array): Spki {
  return readDer(spki, (reader) => {
    const fields = reader.sequence();
    const algorithm = readAlgorithm(fields);
    const bits = fields.octetBitString();
    fields.end();
    return { algorithm, bits };
  });
}

/** The SubjectPublicKeyInfo of an elliptic key on the curve the OID names. */
export function ecSpki(curveOid: string, point: Uint8Array): Uint8Array {
  return derSequence(derSequence(derOid(oids.ecPublicKey), derOid(curveOid)), derBitString(point));
}

/** The SubjectPublicKeyInfo of an RSA key, from its PKCS#1 RSAPublicKey. */
export function rsaSpki(rsaPublicKey: Uint8Array): Uint8Array {
  return derSequence(
    derSequence(derOid(oids.rsaEncryption), derNull()),
    derBitString(rsaPublicKey),
  );
}

/** An RSAPublicKey taken apart (RFC 8017 appendix A.1.1). @throws CRYPTO_DER_MALFORMED. */
export function readRsaPublicKey(bits: Uint8Array): { modulus: bigint; exponent: bigint } {
  return readDer(bits, (reader) => {
    const fields = reader.sequence();
    const modulus = fields.integer(limits.rsaBitsMax / 8 + 1);
    const exponent = fields.integer(8);
    fields.end();
    return { modulus, exponent };
  });
}
