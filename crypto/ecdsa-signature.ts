import { compareBytes, concatBytes, Fault } from '#base';
import { curveOrders } from './curves.ts';
import type { EcdsaCurve } from './curves.ts';
import { DerReader, derTags } from './der-reader.ts';
import { derSequence } from './der-writer.ts';
import { fault } from './faults.ts';

/**
 * Turns a strict DER ECDSA signature into r‖s.
 *
 * @param fieldBytes 32 or 48: the octets of r and of s in the answer.
 * @returns r‖s, big-endian, `2 * fieldBytes` long.
 * @throws CRYPTO_SIGNATURE_MALFORMED not DER, trailing bytes, zero, negative, or too large.
 * @see RFC 3279 section 2.2.3, X.690 section 8.3.
 */
export function derToRaw(der: Uint8Array, fieldBytes: number): Uint8Array {
  const raw = readDerSignature(der, fieldBytes);
  if (raw === undefined) throw fault('CRYPTO_SIGNATURE_MALFORMED', { encoding: 'DER' });
  return raw;
}

/** As `derToRaw`, but undefined where that throws: verification answers false, it never throws. */
export function readDerSignature(der: Uint8Array, fieldBytes: number): Uint8Array | undefined {
  // Both numbers of a P-384 signature fit in 2 + 2 * (2 + 49) octets: one length octet suffices.
  if (der[0] !== 0x30 || der[1] !== der.length - 2 || der.length - 2 >= 0x80) return undefined;
  const raw = new Uint8Array(2 * fieldBytes);
  const middle = readPositive(der, 2, raw.subarray(0, fieldBytes));
  const end = middle === undefined ? 0 : readPositive(der, middle, raw.subarray(fieldBytes));
  return end === der.length ? raw : undefined;
}

/** As `readDerSignature`, but reads over what follows s and what follows the SEQUENCE. */
export function readDerSignatureLoosely(
  der: Uint8Array,
  fieldBytes: number,
): Uint8Array | undefined {
  try {
    const reader = new DerReader(der);
    const fields = reader.sequence();
    const numbers = [fields.element(derTags.integer).der, fields.element(derTags.integer).der];
    return readDerSignature(derSequence(...numbers), fieldBytes);
  } catch (error) {
    if (error instanceof Fault) return undefined;
    throw error;
  }
}

/** Reads one minimal positive INTEGER into `out`; answers the offset after it. */
function readPositive(der: Uint8Array, offset: number, out: Uint8Array): number | undefined {
  const length = der[offset + 1];
  if (der[offset] !== 0x02 || length === undefined || length === 0) return undefined;
  const end = offset + 2 + length;
  if (end > der.length) return undefined;
  let start = offset + 2;
  const first = der[start]!;
  if (first >= 0x80) return undefined;
  if (first === 0) {
    // A leading zero is right only before a set top bit; alone it is the value zero.
    if (length === 1 || der[start + 1]! < 0x80) return undefined;
    start += 1;
  }
  if (end - start > out.length) return undefined;
  out.set(der.subarray(start, end), out.length - (end - start));
  return end;
}

/**
 * Turns r‖s into DER.
 *
 * @param raw r‖s of equal halves, 64 or 96 bytes.
 * @returns SEQUENCE of two minimal INTEGERs.
 * @throws CRYPTO_SIGNATURE_MALFORMED for another length.
 */
export function rawToDer(raw: Uint8Array): Uint8Array {
  if (raw.length !== 64 && raw.length !== 96) {
    throw fault('CRYPTO_SIGNATURE_MALFORMED', { encoding: 'raw', bytes: raw.length });
  }
  const half = raw.length / 2;
  const rStart = minimalStart(raw, 0, half);
  const sStart = minimalStart(raw, half, raw.length);
  const rPad = raw[rStart]! >> 7;
  const sPad = raw[sStart]! >> 7;
  const rBytes = half - rStart + rPad;
  const sBytes = raw.length - sStart + sPad;
  const der = new Uint8Array(6 + rBytes + sBytes);
  der[0] = 0x30;
  der[1] = 4 + rBytes + sBytes;
  der[2] = 0x02;
  der[3] = rBytes;
  der.set(raw.subarray(rStart, half), 4 + rPad);
  der[4 + rBytes] = 0x02;
  der[5 + rBytes] = sBytes;
  der.set(raw.subarray(sStart), 6 + rBytes + sPad);
  return der;
}

/** Where the number's first non-zero octet is; its last octet when it is zero. */
function minimalStart(raw: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end - 1 && raw[at] === 0) at += 1;
  return at;
}

/**
 * Whether s ≤ n/2, which Fabric demands of every ECDSA signature.
 *
 * @param raw r‖s of the curve's length; another length is never low.
 */
export function isLowS(curve: EcdsaCurve, raw: Uint8Array): boolean {
  const { fieldBytes, halfOrder } = curveOrders[curve];
  if (raw.length !== 2 * fieldBytes) return false;
  return compareBytes(raw.subarray(fieldBytes), halfOrder) <= 0;
}

/**
 * The same signature with s replaced by n − s where s is high.
 *
 * @returns r‖s; the argument itself when it is low already.
 * @throws CRYPTO_SIGNATURE_MALFORMED wrong length, or s not below n.
 */
export function toLowS(curve: EcdsaCurve, raw: Uint8Array): Uint8Array {
  const { fieldBytes, order } = curveOrders[curve];
  const s = raw.subarray(fieldBytes);
  if (raw.length !== 2 * fieldBytes || compareBytes(s, order) >= 0) {
    throw fault('CRYPTO_SIGNATURE_MALFORMED', { encoding: 'raw', bytes: raw.length });
  }
  if (isLowS(curve, raw)) return raw;
  const low = new Uint8Array(fieldBytes);
  let borrow = 0;
  for (let at = fieldBytes - 1; at >= 0; at -= 1) {
    const difference = order[at]! - s[at]! - borrow;
    borrow = difference < 0 ? 1 : 0;
    low[at] = difference + 256 * borrow;
  }
  return concatBytes(raw.subarray(0, fieldBytes), low);
}

/**
 * What a token's CKM_ECDSA answers, as Fabric wants it.
 *
 * @param raw r‖s of the curve's length.
 * @returns DER with low s.
 * @throws CRYPTO_SIGNATURE_MALFORMED wrong length, r or s zero or not below n.
 */
export function normaliseEcdsa(raw: Uint8Array, curve: EcdsaCurve): Uint8Array {
  const { fieldBytes, order } = curveOrders[curve];
  const low = toLowS(curve, raw);
  const r = low.subarray(0, fieldBytes);
  const s = low.subarray(fieldBytes);
  const isZero = (part: Uint8Array) => part.every((octet) => octet === 0);
  if (isZero(r) || isZero(s) || compareBytes(r, order) >= 0) {
    throw fault('CRYPTO_SIGNATURE_MALFORMED', { encoding: 'raw', bytes: raw.length });
  }
  return rawToDer(low);
}
