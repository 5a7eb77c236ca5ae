import { Buffer } from 'node:buffer';

const utf8Encoder = new TextEncoder();
const utf8Decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export const emptyBytes = new Uint8Array(0);

export function utf8(text: string): Uint8Array {
  return utf8Encoder.encode(text);
}

/** @throws TypeError when the bytes are not UTF-8; a byte-order mark is kept as text. */
export function textOf(bytes: Uint8Array): string {
  return utf8Decoder.decode(bytes);
}

export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const joined = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && Buffer.compare(a, b) === 0;
}

/** Bytewise order, a prefix before the longer: the key order of Fabric's state database. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  return Buffer.compare(a, b);
}

/** @returns a Buffer over the same memory. */
export function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** @returns bytes as text of as many characters, U+0000 to U+00FF. */
export function latin1Of(bytes: Uint8Array): string {
  return bufferOf(bytes).toString('latin1');
}

export function toHex(bytes: Uint8Array): string {
  return bufferOf(bytes).toString('hex');
}

/** @returns undefined when the text is not an even number of lower- or upper-case hex digits. */
export function fromHex(text: string): Uint8Array | undefined {
  if (text.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(text)) return undefined;
  return new Uint8Array(Buffer.from(text, 'hex'));
}

export function toBase64Url(bytes: Uint8Array): string {
  return bufferOf(bytes).toString('base64url');
}

/** @returns undefined unless the text is the one canonical unpadded base64url encoding of its bytes. */
export function fromBase64Url(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? new Uint8Array(bytes) : undefined;
}

export function toBase64(bytes: Uint8Array): string {
  return bufferOf(bytes).toString('base64');
}

/** @returns undefined unless the text is the one canonical padded base64 encoding of its bytes. */
export function fromBase64(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? new Uint8Array(bytes) : undefined;
}
