import { createHmac } from 'node:crypto';
import { concatBytes, toHex } from '#base';
import { sm3 } from './digests.ts';
import { fault } from './faults.ts';
import {
  sm2Bytes,
  sm2Curve,
  sm2DefaultUserId,
  sm2FieldBytes,
  Sm2Point,
  Sm2PublicKey,
} from './sm2-key.ts';

/**
 * Verifies an SM2 signature with SM3.
 *
 * @param signature r‖s, 64 bytes.
 * @param userId up to 8191 bytes of UTF-8; both sides must have agreed on it.
 * @returns false for every signature that is not right; never throws on one.
 * @see GB/T 32918.2-2016 section 7.1.
 */
export function sm2Verify(
  key: Sm2PublicKey,
  message: Uint8Array,
  signature: Uint8Array,
  userId: string = sm2DefaultUserId,
): boolean {
  if (signature.length !== 2 * sm2FieldBytes) return false;
  const r = toNumber(signature.subarray(0, sm2FieldBytes));
  const s = toNumber(signature.subarray(sm2FieldBytes));
  if (r === 0n || r >= order || s === 0n || s >= order) return false;
  const t = (r + s) % order;
  if (t === 0n) return false;
  const sum = key.combine(s, t);
  if (sum.is0()) return false;
  const digest = toNumber(sm3(key.identityDigest(userId), message));
  return (digest + sum.toAffine().x) % order === r;
}

/**
 * Signs with SM2 and SM3: for clients and tests; the zone's own keys never are in this process.
 * The nonce comes from key and message (as in RFC 6979), so no bad random source can leak the key.
 *
 * @param privateKey 32 bytes, 1 to n − 2.
 * @returns r‖s, 64 bytes.
 * @throws CRYPTO_KEY_INVALID private key out of range.
 * @see GB/T 32918.2-2016 section 6.1.
 */
export function sm2Sign(
  privateKey: Uint8Array,
  message: Uint8Array,
  userId: string = sm2DefaultUserId,
): Uint8Array {
  const d = privateScalar(privateKey);
  const key = new Sm2PublicKey(Sm2Point.BASE.multiply(d));
  const digest = sm3(key.identityDigest(userId), message);
  // A nonce that gives r = 0, r + k = n or s = 0 is skipped: each has a chance of about 2^-256.
  for (let attempt = 0; attempt < 8; attempt += 1) {
    const k = nonce(privateKey, digest, attempt);
    const r = (toNumber(digest) + Sm2Point.BASE.multiply(k).toAffine().x) % order;
    if (r === 0n || r + k === order) continue;
    const unmasked = (k + r * (order - d)) % order;
    const s = (Sm2Point.Fn.inv(1n + d) * unmasked) % order;
    if (s !== 0n) return concatBytes(sm2Bytes(r), sm2Bytes(s));
  }
  throw fault('CRYPTO_KEY_INVALID', { reason: 'no nonce found' });
}

/** The public point 0x04‖x‖y of a private key of 32 bytes. @throws CRYPTO_KEY_INVALID. */
export function sm2PublicKeyOf(privateKey: Uint8Array): Uint8Array {
  return Sm2Point.BASE.multiply(privateScalar(privateKey)).toBytes(false);
}

const order = sm2Curve.n;

function privateScalar(privateKey: Uint8Array): bigint {
  const d = toNumber(privateKey);
  const fits = privateKey.length === sm2FieldBytes && d >= 1n && d <= order - 2n;
  if (!fits) throw fault('CRYPTO_KEY_INVALID', { reason: 'private key out of range' });
  return d;
}

/** 512 bits reduced to 256 leave no bias that could be measured. */
function nonce(privateKey: Uint8Array, digest: Uint8Array, attempt: number): bigint {
  const mac = createHmac('sha512', privateKey).update(digest).update(Uint8Array.of(attempt));
  return (toNumber(mac.digest()) % (order - 1n)) + 1n;
}

function toNumber(bytes: Uint8Array): bigint {
  return BigInt(`0x0${toHex(bytes)}`);
}
