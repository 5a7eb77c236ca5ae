import { createHmac } from 'node:crypto';
import { mulAddUnsafe } from '@noble/curves/abstract/curve.js';
import { weierstrass } from '@noble/curves/abstract/weierstrass.js';
import type { WeierstrassOpts, WeierstrassPoint } from '@noble/curves/abstract/weierstrass.js';
import { concatBytes, toHex, utf8 } from '#base';
import { sm3 } from './digests.ts';
import { fault } from './faults.ts';

/** The user id of GM/T 0009-2012 section 10, for everyone who agreed on no other. */
export const sm2DefaultUserId = '1234567812345678';

/** A public point with what depends on it alone. */
export interface Sm2PublicPoint {
  readonly point: WeierstrassPoint<bigint>;
  /** SM3(ENTL‖ID‖a‖b‖G‖P) for the default user id. */
  readonly identityDigest: Uint8Array;
}

const scalarBytes = 32;

/** The recommended curve of GB/T 32918.5-2017. */
const curve: WeierstrassOpts<bigint> = {
  p: 0xfffffffeffffffffffffffffffffffffffffffff00000000ffffffffffffffffn,
  n: 0xfffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123n,
  h: 1n,
  a: 0xfffffffeffffffffffffffffffffffffffffffff00000000fffffffffffffffcn,
  b: 0x28e9fa9e9d9f5e344d5a9e4bcf6509a7f39789f515ab8f92ddbcbd414d940e93n,
  Gx: 0x32c4ae2c1f1981195f9904466a39c9948fe30bbff2660be1715a4589334c74c7n,
  Gy: 0xbc3736a2f4f6779c59bdcee36b692153d0a9877cc62a474002df32e52139f0a0n,
};

const Point = weierstrass(curve);
const curveDigestPart = concatBytes(
  ...[curve.a, curve.b, curve.Gx, curve.Gy].map((number) => bytes32(number)),
);

/**
 * Verifies an SM2 signature with SM3.
 *
 * @param signature r‖s, 64 bytes.
 * @param userId up to 8191 bytes of UTF-8; both sides must have agreed on it.
 * @returns false for every signature that is not right; never throws on one.
 * @see GB/T 32918.2-2016 section 7.1.
 */
export function sm2Verify(
  key: Sm2PublicPoint,
  message: Uint8Array,
  signature: Uint8Array,
  userId: string = sm2DefaultUserId,
): boolean {
  if (signature.length !== 2 * scalarBytes) return false;
  const r = toNumber(signature.subarray(0, scalarBytes));
  const s = toNumber(signature.subarray(scalarBytes));
  if (r === 0n || r >= curve.n || s === 0n || s >= curve.n) return false;
  const t = (r + s) % curve.n;
  if (t === 0n) return false;
  const sum = mulAddUnsafe(Point, [Point.BASE, key.point], [s, t]);
  if (sum.is0()) return false;
  const digest = toNumber(sm3(identityDigestFor(key, userId), message));
  return (digest + sum.toAffine().x) % curve.n === r;
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
  const key = publicPointOf(Point.BASE.multiply(d));
  const digest = sm3(identityDigestFor(key, userId), message);
  // A nonce that gives r = 0, r + k = n or s = 0 is skipped: each has a chance of about 2^-256.
  for (let attempt = 0; attempt < 8; attempt += 1) {
    const k = nonce(privateKey, digest, attempt);
    const r = (toNumber(digest) + Point.BASE.multiply(k).toAffine().x) % curve.n;
    if (r === 0n || r + k === curve.n) continue;
    const unmasked = (k + r * (curve.n - d)) % curve.n;
    const s = (Point.Fn.inv(1n + d) * unmasked) % curve.n;
    if (s !== 0n) return concatBytes(bytes32(r), bytes32(s));
  }
  throw fault('CRYPTO_KEY_INVALID', { reason: 'no nonce found' });
}

/** The public point 0x04‖x‖y of a private key. @throws CRYPTO_KEY_INVALID. */
export function sm2PublicKeyOf(privateKey: Uint8Array): Uint8Array {
  return Point.BASE.multiply(privateScalar(privateKey)).toBytes(false);
}

/**
 * @param bytes 0x04‖x‖y, 65 bytes, on the curve.
 * @throws Error of the curve library, for the caller to translate.
 */
export function sm2PublicPoint(bytes: Uint8Array): Sm2PublicPoint {
  return publicPointOf(Point.fromBytes(bytes));
}

function publicPointOf(point: WeierstrassPoint<bigint>): Sm2PublicPoint {
  return { point, identityDigest: identityDigest(point, sm2DefaultUserId) };
}

function identityDigestFor(key: Sm2PublicPoint, userId: string): Uint8Array {
  return userId === sm2DefaultUserId ? key.identityDigest : identityDigest(key.point, userId);
}

/** Z of GB/T 32918.2-2016 section 5.5. */
function identityDigest(point: WeierstrassPoint<bigint>, userId: string): Uint8Array {
  const id = utf8(userId);
  const bits = id.length * 8;
  if (bits > 0xffff) throw fault('CRYPTO_KEY_INVALID', { reason: 'user id too long' });
  const length = Uint8Array.of(bits >> 8, bits & 0xff);
  return sm3(length, id, curveDigestPart, point.toBytes(false).subarray(1));
}

function privateScalar(privateKey: Uint8Array): bigint {
  const d = toNumber(privateKey);
  const fits = privateKey.length === scalarBytes && d >= 1n && d <= curve.n - 2n;
  if (!fits) throw fault('CRYPTO_KEY_INVALID', { reason: 'private key out of range' });
  return d;
}

/** 512 bits reduced to 256 leave no bias that could be measured. */
function nonce(privateKey: Uint8Array, digest: Uint8Array, attempt: number): bigint {
  const mac = createHmac('sha512', privateKey).update(digest).update(Uint8Array.of(attempt));
  return (toNumber(mac.digest()) % (curve.n - 1n)) + 1n;
}

function toNumber(bytes: Uint8Array): bigint {
  return BigInt(`0x0${toHex(bytes)}`);
}

function bytes32(number: bigint): Uint8Array {
  return Uint8Array.from(Buffer.from(number.toString(16).padStart(2 * scalarBytes, '0'), 'hex'));
}
