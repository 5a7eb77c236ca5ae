import { weierstrass } from '@noble/curves/abstract/weierstrass.js';
import type { WeierstrassOpts, WeierstrassPoint } from '@noble/curves/abstract/weierstrass.js';
import { concatBytes, limits, utf8 } from '#base';
import { sm3 } from './digests.ts';
import { fault } from './faults.ts';

/** The user id of GM/T 0009-2012 section 10, for everyone who agreed on no other. */
export const sm2DefaultUserId = '1234567812345678';

/** The recommended curve of GB/T 32918.5-2017. */
export const sm2Curve: WeierstrassOpts<bigint> = {
  p: 0xfffffffeffffffffffffffffffffffffffffffff00000000ffffffffffffffffn,
  n: 0xfffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123n,
  h: 1n,
  a: 0xfffffffeffffffffffffffffffffffffffffffff00000000fffffffffffffffcn,
  b: 0x28e9fa9e9d9f5e344d5a9e4bcf6509a7f39789f515ab8f92ddbcbd414d940e93n,
  Gx: 0x32c4ae2c1f1981195f9904466a39c9948fe30bbff2660be1715a4589334c74c7n,
  Gy: 0xbc3736a2f4f6779c59bdcee36b692153d0a9877cc62a474002df32e52139f0a0n,
};

export const Sm2Point = weierstrass(sm2Curve);

/** Octets of a coordinate, of a private key, and of r and s each. */
export const sm2FieldBytes = 32;

/** A public point with what depends on it alone. */
export class Sm2PublicKey {
  readonly #point: WeierstrassPoint<bigint>;
  readonly #defaultDigest: Uint8Array;
  #multiplications = 0;

  constructor(point: WeierstrassPoint<bigint>) {
    this.#point = point;
    this.#defaultDigest = identityDigest(point, sm2DefaultUserId);
  }

  /**
   * @param bytes 0x04‖x‖y, 65 bytes, on the curve.
   * @throws Error of the curve library, for the caller to translate.
   */
  static fromBytes(bytes: Uint8Array): Sm2PublicKey {
    return new Sm2PublicKey(Sm2Point.fromBytes(bytes));
  }

  /** Z: SM3(ENTL‖ID‖a‖b‖G‖P), GB/T 32918.2-2016 section 5.5. */
  identityDigest(userId: string): Uint8Array {
    return userId === sm2DefaultUserId ? this.#defaultDigest : identityDigest(this.#point, userId);
  }

  /** baseScalar·G + scalar·P, for public scalars only: the time taken depends on them. */
  combine(baseScalar: bigint, scalar: bigint): WeierstrassPoint<bigint> {
    return Sm2Point.BASE.multiplyUnsafe(baseScalar).add(this.#quickPoint().multiplyUnsafe(scalar));
  }

  /**
   * A key in frequent use gets a table of multiples, which makes it four times as fast; it costs
   * ten multiplications to build and about 300 KB, so only the latest few keys hold one.
   */
  #quickPoint(): WeierstrassPoint<bigint> {
    const held = tables.get(this);
    if (held !== undefined) {
      tables.delete(this);
      tables.set(this, held);
      return held;
    }
    this.#multiplications += 1;
    if (this.#multiplications < limits.sm2TableAfterUses) return this.#point;
    this.#multiplications = 0;
    const [eldest] = tables.keys();
    if (eldest !== undefined && tables.size >= limits.sm2TablesMax) tables.delete(eldest);
    // The library keeps tables by the point's identity: a copy lets ours go with its entry here.
    const quick = Sm2Point.fromAffine(this.#point.toAffine()).precompute(6, false);
    tables.set(this, quick);
    return quick;
  }
}

/** Latest used last. */
const tables = new Map<Sm2PublicKey, WeierstrassPoint<bigint>>();

/** A number below 2^256, big-endian. */
export function sm2Bytes(number: bigint): Uint8Array {
  return Uint8Array.from(Buffer.from(number.toString(16).padStart(2 * sm2FieldBytes, '0'), 'hex'));
}

const { a, b, Gx, Gy } = sm2Curve;
const curveBytes = concatBytes(sm2Bytes(a), sm2Bytes(b), sm2Bytes(Gx), sm2Bytes(Gy));

function identityDigest(point: WeierstrassPoint<bigint>, userId: string): Uint8Array {
  const id = utf8(userId);
  const bits = id.length * 8;
  if (bits > 0xffff) throw fault('CRYPTO_KEY_INVALID', { reason: 'user id too long' });
  const length = Uint8Array.of(bits >> 8, bits & 0xff);
  return sm3(length, id, curveBytes, point.toBytes(false).subarray(1));
}
