import { createPublicKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { ed25519 } from '@noble/curves/ed25519.js';
import { limits, toHex } from '#base';
import type { Fault } from '#base';
import { isNullOrAbsent, readDer } from './der-reader.ts';
import { sha256 } from './digests.ts';
import { fault } from './faults.ts';
import { oids } from './oids.ts';
import { Sm2PublicKey } from './sm2-key.ts';
import { ecSpki, readRsaPublicKey, readSpki } from './spki.ts';
import type { Spki } from './spki.ts';

export type KeyKind = 'P-256' | 'P-384' | 'secp256k1' | 'Ed25519' | 'RSA' | 'SM2';

/** A public key that was checked once, on import; made by {@link importPublicKey} only. */
export interface PublicKey {
  readonly kind: KeyKind;
  /** DER SubjectPublicKeyInfo. */
  readonly spki: Uint8Array;
  /** SHA-256 of `spki`, lower-case hex. */
  readonly fingerprint: string;
}

/** A small exponent keeps one verification cheap; the bound is that of Go's crypto/rsa. */
const rsaExponentMax = 2n ** 31n - 1n;
/** An RSA key of `limits.rsaBitsMax` takes half of it. */
const spkiBytesMax = 2048;

/**
 * Reads a SubjectPublicKeyInfo and prepares the key for verification, once.
 * Elliptic points are uncompressed and on their curve, with the curve named by its OID; RSA has
 * `limits.rsaBitsMin` to `limits.rsaBitsMax` bits and an odd exponent; Ed25519 has no point of
 * small order.
 *
 * @param spki DER; copied, so the caller's buffer may be reused.
 * @throws CRYPTO_KEY_INVALID, CRYPTO_KEY_UNSUPPORTED.
 * @see RFC 5480, RFC 8410, RFC 3279 section 2.3.1, GM/T 0009.
 */
export function importPublicKey(spki: Uint8Array): PublicKey {
  if (spki.length > spkiBytesMax) throw fault('CRYPTO_KEY_INVALID', { bytes: spki.length });
  const owned = Uint8Array.from(spki);
  const parts = asKeyFault(() => readSpki(owned));
  const kind = kindOf(parts);
  if (kind === 'SM2') {
    const sm2Key = asKeyFault(() => Sm2PublicKey.fromBytes(parts.bits));
    return new ImportedKey(kind, owned, { sm2Key });
  }
  if (kind === 'RSA') checkRsa(asKeyFault(() => readRsaPublicKey(parts.bits)));
  if (kind === 'Ed25519') asKeyFault(() => checkEd25519(parts.bits));
  // OpenSSL checks here that an elliptic point is on its curve.
  const keyObject = asKeyFault(() =>
    createPublicKey({ key: Buffer.from(owned), format: 'der', type: 'spki' }),
  );
  return new ImportedKey(kind, owned, { keyObject });
}

/** The octets of the key's BIT STRING: for an elliptic key its uncompressed point. */
export function publicKeyBits(key: PublicKey): Uint8Array {
  return readSpki(key.spki).bits;
}

/**
 * The key of a P-256 or P-384 point, as a token holds it inside CKA_EC_POINT.
 *
 * @param point 0x04‖x‖y, 65 or 97 bytes.
 * @throws CRYPTO_KEY_INVALID.
 */
export function importPoint(point: Uint8Array): PublicKey {
  const curve = point.length === 97 ? oids.p384 : oids.p256;
  return importPublicKey(ecSpki(curve, point));
}

/** What node:crypto verifies with. @throws TypeError the key was not imported, or is SM2. */
export function keyObjectOf(key: PublicKey): KeyObject {
  const held = key instanceof ImportedKey ? key.keyObject : undefined;
  if (held === undefined) throw new TypeError('not an imported key that OpenSSL verifies with');
  return held;
}

/** @throws TypeError the key was not imported, or is not SM2. */
export function sm2KeyOf(key: PublicKey): Sm2PublicKey {
  const held = key instanceof ImportedKey ? key.sm2Key : undefined;
  if (held === undefined) throw new TypeError('not an imported SM2 key');
  return held;
}

/** The prepared form behind a {@link PublicKey}; preparing costs as much as a verification. */
class ImportedKey implements PublicKey {
  readonly kind: KeyKind;
  readonly spki: Uint8Array;
  readonly fingerprint: string;
  readonly keyObject: KeyObject | undefined;
  readonly sm2Key: Sm2PublicKey | undefined;

  constructor(
    kind: KeyKind,
    spki: Uint8Array,
    prepared: { keyObject?: KeyObject; sm2Key?: Sm2PublicKey },
  ) {
    this.kind = kind;
    this.spki = spki;
    this.fingerprint = toHex(sha256(spki));
    this.keyObject = prepared.keyObject;
    this.sm2Key = prepared.sm2Key;
  }
}

/** Uncompressed points only, so that one key has one SPKI and one fingerprint. */
const curveKinds: Readonly<Record<string, { kind: KeyKind; pointBytes: number }>> = {
  [oids.p256]: { kind: 'P-256', pointBytes: 65 },
  [oids.p384]: { kind: 'P-384', pointBytes: 97 },
  [oids.secp256k1]: { kind: 'secp256k1', pointBytes: 65 },
  [oids.sm2]: { kind: 'SM2', pointBytes: 65 },
};

function kindOf({ algorithm, bits }: Spki): KeyKind {
  switch (algorithm.oid) {
    case oids.ecPublicKey:
      return curveKindOf(algorithm.parameters, bits);
    case oids.ed25519:
      if (algorithm.parameters !== undefined) throw invalid('Ed25519 has no parameters');
      return 'Ed25519';
    case oids.rsaEncryption:
      if (!isNullOrAbsent(algorithm.parameters)) throw invalid('RSA has no parameters');
      return 'RSA';
    default:
      throw fault('CRYPTO_KEY_UNSUPPORTED', { algorithm: algorithm.oid });
  }
}

function curveKindOf(parameters: Uint8Array | undefined, point: Uint8Array): KeyKind {
  // Explicit curve parameters let a key bring its own generator (CVE-2020-0601): only names.
  if (parameters?.[0] !== 0x06) throw fault('CRYPTO_KEY_UNSUPPORTED', { curve: 'not named' });
  const curve = asKeyFault(() => readDer(parameters, (reader) => reader.oid()));
  const known = Object.hasOwn(curveKinds, curve) ? curveKinds[curve] : undefined;
  if (known === undefined) throw fault('CRYPTO_KEY_UNSUPPORTED', { curve });
  if (point.length !== known.pointBytes || point[0] !== 4) throw invalid('point encoding');
  return known.kind;
}

function checkRsa({ modulus, exponent }: { modulus: bigint; exponent: bigint }): void {
  const bits = modulus > 0n ? modulus.toString(2).length : 0;
  if (bits < limits.rsaBitsMin || bits > limits.rsaBitsMax) throw invalid('RSA modulus size');
  if (modulus % 2n === 0n) throw invalid('RSA modulus is even');
  const fits = exponent >= 3n && exponent <= rsaExponentMax && exponent % 2n === 1n;
  if (!fits) throw invalid('RSA exponent');
}

/** OpenSSL takes any 32 octets; a key of small order would verify signatures nobody made. */
function checkEd25519(bits: Uint8Array): void {
  if (ed25519.Point.fromBytes(bits).isSmallOrder()) throw invalid('point of small order');
}

function invalid(reason: string): Fault {
  return fault('CRYPTO_KEY_INVALID', { reason });
}

function asKeyFault<Value>(read: () => Value): Value {
  try {
    return read();
  } catch (cause) {
    throw fault('CRYPTO_KEY_INVALID', {}, cause);
  }
}
