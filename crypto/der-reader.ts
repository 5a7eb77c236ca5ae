import { equalBytes, limits } from '#base';
import { fault } from './faults.ts';

/** Universal tags of X.690, with the constructed bit where DER demands it. */
export const derTags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  enumerated: 0x0a,
  utf8String: 0x0c,
  printableString: 0x13,
  teletexString: 0x14,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  universalString: 0x1c,
  bmpString: 0x1e,
  sequence: 0x30,
  set: 0x31,
} as const;

/** The tag of a context-specific element, for example `contextTag(3, true)` for `[3] EXPLICIT`. */
export function contextTag(number: number, constructed: boolean): number {
  return 0x80 | (constructed ? 0x20 : 0) | number;
}

export interface DerElement {
  tag: number;
  /** The content octets; a view, not a copy. */
  content: Uint8Array;
  /** Tag, length and content; a view, not a copy. */
  der: Uint8Array;
}

/**
 * Walks the elements of one DER content, front to back, believing nothing.
 * Refused: indefinite and non-minimal lengths, multi-byte tags, nesting past `limits.derDepthMax`,
 * and everything left over when `end()` is called.
 *
 * @throws CRYPTO_DER_MALFORMED from every method.
 * @see X.690 (2021) sections 8 and 10.
 */
export class DerReader {
  readonly #bytes: Uint8Array;
  readonly #depth: number;
  #offset = 0;

  constructor(bytes: Uint8Array, depth = 0) {
    if (depth > limits.derDepthMax) throw malformed('nested too deeply');
    this.#bytes = bytes;
    this.#depth = depth;
  }

  get atEnd(): boolean {
    return this.#offset === this.#bytes.length;
  }

  /** The tag of the next element, undefined at the end. */
  peekTag(): number | undefined {
    return this.#bytes[this.#offset];
  }

  /** The next element, whatever its tag, or of the given one. */
  element(tag?: number): DerElement {
    const start = this.#offset;
    const seen = this.#bytes[start];
    if (seen === undefined) throw malformed('an element is missing', { expected: tag });
    if ((seen & 0x1f) === 0x1f) throw malformed('multi-byte tag', { tag: seen });
    if (tag !== undefined && seen !== tag) {
      throw malformed('another tag was expected', { expected: tag, tag: seen });
    }
    const head = readLength(this.#bytes, start + 1);
    const end = head.next + head.length;
    if (end > this.#bytes.length) throw malformed('content is cut short');
    this.#offset = end;
    return {
      tag: seen,
      content: this.#bytes.subarray(head.next, end),
      der: this.#bytes.subarray(start, end),
    };
  }

  /** A reader over the content of the next element, one level deeper. */
  nested(tag: number): DerReader {
    return new DerReader(this.element(tag).content, this.#depth + 1);
  }

  /** A reader over bytes that an element of this level carried, for example in an OCTET STRING. */
  inside(content: Uint8Array): DerReader {
    return new DerReader(content, this.#depth + 1);
  }

  sequence(): DerReader {
    return this.nested(derTags.sequence);
  }

  /** A context-specific constructed element if it comes next. */
  explicit(number: number): DerReader | undefined {
    const tag = contextTag(number, true);
    return this.peekTag() === tag ? this.nested(tag) : undefined;
  }

  /** A context-specific primitive element's content if it comes next. */
  implicit(number: number): Uint8Array | undefined {
    const tag = contextTag(number, false);
    return this.peekTag() === tag ? this.element(tag).content : undefined;
  }

  /** @param bytesMax bound on the content octets, sign octet included. */
  integer(bytesMax: number): bigint {
    return readInteger(this.element(derTags.integer).content, bytesMax);
  }

  boolean(): boolean {
    const { content } = this.element(derTags.boolean);
    if (content.length === 1 && content[0] === 0xff) return true;
    if (content.length === 1 && content[0] === 0) return false;
    throw malformed('boolean');
  }

  octetString(): Uint8Array {
    return this.element(derTags.octetString).content;
  }

  /** A BIT STRING of whole octets, as keys and signatures are. */
  octetBitString(): Uint8Array {
    const { content } = this.element(derTags.bitString);
    if (content[0] !== 0) throw malformed('bit string is not of whole octets');
    return content.subarray(1);
  }

  /** An object identifier in dotted form. */
  oid(): string {
    return readOid(this.element(derTags.oid).content);
  }

  null(): void {
    if (this.element(derTags.null).content.length !== 0) throw malformed('null has content');
  }

  end(): void {
    if (!this.atEnd) throw malformed('trailing bytes', { offset: this.#offset });
  }
}

function readLength(bytes: Uint8Array, offset: number): { length: number; next: number } {
  const first = bytes[offset];
  if (first === undefined) throw malformed('length is missing');
  if (first < 0x80) return { length: first, next: offset + 1 };
  const octets = first & 0x7f;
  if (octets === 0 || octets > 4) throw malformed('length of the length', { octets });
  let length = 0;
  for (let at = offset + 1; at <= offset + octets; at += 1) {
    const octet = bytes[at];
    if (octet === undefined) throw malformed('length is cut short');
    length = length * 256 + octet;
  }
  const minimal = length >= 0x80 && length >= 256 ** (octets - 1);
  if (!minimal) throw malformed('length is not minimal');
  return { length, next: offset + 1 + octets };
}

function readInteger(content: Uint8Array, bytesMax: number): bigint {
  const [first, second] = content;
  if (first === undefined || content.length > bytesMax) throw malformed('integer size');
  const padded =
    second !== undefined && ((first === 0 && second < 0x80) || paddedNegative(content));
  if (padded) throw malformed('integer is not minimal');
  let value = 0n;
  for (const octet of content) value = (value << 8n) | BigInt(octet);
  return first < 0x80 ? value : value - (1n << BigInt(content.length * 8));
}

function paddedNegative(content: Uint8Array): boolean {
  return content[0] === 0xff && content[1]! >= 0x80;
}

/** Arcs are bounded to what a double holds exactly; no OID in use comes near. */
function readOid(content: Uint8Array): string {
  if (content.length === 0 || content.length > 64) throw malformed('oid size');
  const arcs: number[] = [];
  let arc = 0;
  let starting = true;
  for (const octet of content) {
    if (starting && octet === 0x80) throw malformed('oid arc is padded');
    arc = arc * 128 + (octet & 0x7f);
    if (!Number.isSafeInteger(arc)) throw malformed('oid arc is too large');
    starting = octet < 0x80;
    if (!starting) continue;
    if (arcs.length === 0) {
      const root = Math.min(2, Math.floor(arc / 40));
      arcs.push(root, arc - root * 40);
    } else {
      arcs.push(arc);
    }
    arc = 0;
  }
  if (!starting) throw malformed('oid is cut short');
  return arcs.join('.');
}

function malformed(reason: string, detail: Record<string, number | undefined> = {}) {
  return fault('CRYPTO_DER_MALFORMED', { reason, ...detail });
}

/** Reads a value that must fill the bytes whole. */
export function readDer<Value>(bytes: Uint8Array, read: (reader: DerReader) => Value): Value {
  const reader = new DerReader(bytes);
  const value = read(reader);
  reader.end();
  return value;
}

/** An AlgorithmIdentifier: its OID, and the DER of its parameters (undefined when absent). */
export interface AlgorithmIdentifier {
  oid: string;
  parameters?: Uint8Array;
}

export function readAlgorithm(reader: DerReader): AlgorithmIdentifier {
  const fields = reader.sequence();
  const oid = fields.oid();
  if (fields.atEnd) return { oid };
  const parameters = fields.element().der;
  fields.end();
  return { oid, parameters };
}

const nullDer = Uint8Array.of(derTags.null, 0);

export function isNullOrAbsent(parameters: Uint8Array | undefined): boolean {
  return parameters === undefined || equalBytes(parameters, nullDer);
}
