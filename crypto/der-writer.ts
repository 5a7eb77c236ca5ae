import assert from 'node:assert/strict';
import { compareBytes, concatBytes, emptyBytes, utf8 } from '#base';
import { contextTag, derTags } from './der-reader.ts';

/** One DER element of the tag, its content being the parts joined. */
export function derElement(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const content = concatBytes(...parts);
  return concatBytes(Uint8Array.of(tag), derLength(content.length), content);
}

export function derSequence(...elements: readonly Uint8Array[]): Uint8Array {
  return derElement(derTags.sequence, ...elements);
}

/** A SET OF: DER sorts the elements by their encodings (X.690 11.6). */
export function derSetOf(...elements: readonly Uint8Array[]): Uint8Array {
  return derElement(derTags.set, ...elements.toSorted(compareBytes));
}

export function derInteger(value: bigint): Uint8Array {
  assert(value >= 0n, 'only non-negative integers are written');
  const hex = value.toString(16);
  const even = hex.length % 2 === 0 ? hex : `0${hex}`;
  // A set top bit would read as a sign, so a zero octet goes before it.
  const padded = Number.parseInt(even.slice(0, 2), 16) < 0x80 ? even : `00${even}`;
  return derElement(derTags.integer, Buffer.from(padded, 'hex'));
}

export function derOid(dotted: string): Uint8Array {
  const [root = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  assert(root <= 2 && (root === 2 || second < 40), 'an object identifier');
  return derElement(derTags.oid, ...[root * 40 + second, ...rest].map(oidArc));
}

export function derOctetString(...parts: readonly Uint8Array[]): Uint8Array {
  return derElement(derTags.octetString, ...parts);
}

/** A BIT STRING of whole octets. */
export function derBitString(content: Uint8Array): Uint8Array {
  return derElement(derTags.bitString, Uint8Array.of(0), content);
}

/** A named-bit list: bit 0 is the first; trailing zero bits are dropped (X.690 11.2.2). */
export function derNamedBits(bits: readonly number[]): Uint8Array {
  if (bits.length === 0) return derElement(derTags.bitString, Uint8Array.of(0));
  const last = Math.max(...bits);
  const octets = new Uint8Array(Math.floor(last / 8) + 1);
  for (const bit of bits) {
    const at = Math.floor(bit / 8);
    octets[at]! |= 0x80 >> (bit % 8);
  }
  return derElement(derTags.bitString, Uint8Array.of(7 - (last % 8)), octets);
}

export function derBoolean(value: boolean): Uint8Array {
  return Uint8Array.of(derTags.boolean, 1, value ? 0xff : 0);
}

export function derNull(): Uint8Array {
  return derElement(derTags.null, emptyBytes);
}

export function derExplicit(number: number, ...parts: readonly Uint8Array[]): Uint8Array {
  return derElement(contextTag(number, true), ...parts);
}

export function derImplicit(number: number, content: Uint8Array): Uint8Array {
  return derElement(contextTag(number, false), content);
}

/** PrintableString where the text allows it, else UTF8String: what Go's pkix writes. */
export function derText(text: string): Uint8Array {
  const printable = /^[A-Za-z0-9 '()+,\-./:=?]*$/.test(text);
  return derElement(printable ? derTags.printableString : derTags.utf8String, utf8(text));
}

/**
 * A time to the second: UTCTime from 1950 to 2049, GeneralizedTime outside of it.
 *
 * @see RFC 5280 section 4.1.2.5.
 */
export function derTime(time: Date): Uint8Array {
  const year = time.getUTCFullYear();
  assert(year >= 0 && year <= 9999, 'a year of four digits');
  const digits = time.toISOString().replace(/[-:T]/g, '').slice(0, 14);
  if (year >= 1950 && year < 2050) return derElement(derTags.utcTime, utf8(`${digits.slice(2)}Z`));
  return derElement(derTags.generalizedTime, utf8(`${digits}Z`));
}

function derLength(length: number): Uint8Array {
  if (length < 0x80) return Uint8Array.of(length);
  const octets: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256);
  return Uint8Array.of(0x80 | octets.length, ...octets);
}

function oidArc(arc: number): Uint8Array {
  assert(Number.isSafeInteger(arc) && arc >= 0, 'an arc of an object identifier');
  const octets = [arc % 128];
  for (let rest = Math.floor(arc / 128); rest > 0; rest = Math.floor(rest / 128)) {
    octets.unshift(0x80 | (rest % 128));
  }
  return Uint8Array.from(octets);
}
