import { verify } from 'node:crypto';
import type { EcdsaCurve } from './curves.ts';
import { isLowS, rawToDer } from './ecdsa-signature.ts';
import { fault } from './faults.ts';
import { keyObjectOf, sm2KeyOf } from './public-key.ts';
import type { KeyKind, PublicKey } from './public-key.ts';
import { verifyRsaPkcs1, verifyRsaPss } from './rsa-signature.ts';
import { sm2Verify } from './sm2.ts';

export type JoseAlgorithm = 'ES256' | 'ES384' | 'ES256K' | 'EdDSA' | 'RS256' | 'PS256' | 'SM2';

export function isJoseAlgorithm(name: string): name is JoseAlgorithm {
  return Object.hasOwn(algorithms, name);
}

/** The one kind of key that an algorithm belongs to. */
export function joseKeyKind(algorithm: JoseAlgorithm): KeyKind {
  return algorithms[algorithm].keyKind;
}

/**
 * Verifies a JWS signature.
 *
 * @param signingInput the bytes that were signed, `protected.payload` as received.
 * @param signature as JOSE has it: r‖s for the elliptic algorithms. A high s is right here
 *   (RFC 7515 forbids none); see {@link isLowSRaw}.
 * @returns false for every signature that is not right; never throws on one.
 * @throws CRYPTO_ALGORITHM_MISMATCH the key is not of the algorithm's kind.
 * @see RFC 7518 section 3, RFC 8037 section 3.1, RFC 8812 section 3.2; SM2 is GB/T 32918.2.
 */
export function verifyJose(
  algorithm: JoseAlgorithm,
  key: PublicKey,
  signingInput: Uint8Array,
  signature: Uint8Array,
): boolean {
  const { keyKind, verify } = algorithms[algorithm];
  if (key.kind !== keyKind) {
    throw fault('CRYPTO_ALGORITHM_MISMATCH', { algorithm, wanted: keyKind, keyKind: key.kind });
  }
  return verify(key, signingInput, signature);
}

/**
 * Whether the signature has the one low form of its two, for a configuration that forbids the
 * other. Algorithms whose signatures cannot be mirrored are always low.
 */
export function isLowSRaw(algorithm: JoseAlgorithm, signature: Uint8Array): boolean {
  const { mirrored } = algorithms[algorithm];
  return mirrored === undefined || isLowS(mirrored, signature);
}

interface AlgorithmRow {
  /** The one kind of key the algorithm belongs to. */
  keyKind: KeyKind;
  /** The curve on which (r, n − s) verifies wherever (r, s) does. */
  mirrored?: EcdsaCurve;
  verify: (key: PublicKey, message: Uint8Array, signature: Uint8Array) => boolean;
}

/** The salt is as long as the digest: RFC 7518 section 3.5. */
const ps256 = { digest: 'sha256', saltLength: 32 };

const algorithms: Readonly<Record<JoseAlgorithm, AlgorithmRow>> = {
  ES256: { keyKind: 'P-256', mirrored: 'P-256', verify: ecdsaVerifier('sha256', 64) },
  ES384: { keyKind: 'P-384', mirrored: 'P-384', verify: ecdsaVerifier('sha384', 96) },
  ES256K: { keyKind: 'secp256k1', mirrored: 'secp256k1', verify: ecdsaVerifier('sha256', 64) },
  EdDSA: {
    keyKind: 'Ed25519',
    verify: (key, message, signature) => verify(null, message, keyObjectOf(key), signature),
  },
  RS256: {
    keyKind: 'RSA',
    verify: (key, message, signature) => verifyRsaPkcs1(key, 'sha256', message, signature),
  },
  PS256: {
    keyKind: 'RSA',
    verify: (key, message, signature) => verifyRsaPss(key, ps256, message, signature),
  },
  SM2: {
    keyKind: 'SM2',
    verify: (key, message, signature) => sm2Verify(sm2KeyOf(key), message, signature),
  },
};

/**
 * DER and the bare KeyObject: Node 24 takes half as long again when it is given
 * `{ key, dsaEncoding: 'ieee-p1363' }`.
 */
function ecdsaVerifier(digest: string, rawBytes: number): AlgorithmRow['verify'] {
  return (key, message, signature) =>
    signature.length === rawBytes && verify(digest, message, keyObjectOf(key), rawToDer(signature));
}
