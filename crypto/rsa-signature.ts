import { constants, verify } from 'node:crypto';
import { keyObjectOf } from './public-key.ts';
import type { PublicKey } from './public-key.ts';

/** @param digest OpenSSL's name of the digest over the message. */
export function verifyRsaPkcs1(
  key: PublicKey,
  digest: string,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  return isWhole(key, signature) && verify(digest, message, keyObjectOf(key), signature);
}

/** @param saltLength in bytes; another one is refused. */
export function verifyRsaPss(
  key: PublicKey,
  { digest, saltLength }: { digest: string; saltLength: number },
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  const padding = constants.RSA_PKCS1_PSS_PADDING;
  const options = { key: keyObjectOf(key), padding, saltLength };
  return isWhole(key, signature) && verify(digest, message, options, signature);
}

/**
 * Whether the signature is as long as the modulus (RFC 8017 section 8.2.2, step 1): OpenSSL also takes
 * one whose leading zeros were cut off, which is a second form of the same signature.
 */
function isWhole(key: PublicKey, signature: Uint8Array): boolean {
  const bits = keyObjectOf(key).asymmetricKeyDetails?.modulusLength ?? 0;
  return signature.length === Math.ceil(bits / 8);
}
