import { latin1Of, limits, toBase64, toBase64Url, toHex, utf8 } from '#base';
import { sha256 } from '#crypto';
import type { JoseAlgorithm } from '#crypto';
import { fault } from './faults.ts';
import { requestType, readRequestHeader } from './request-header.ts';
import type { RequestHeader } from './request-header.ts';
import { readRequestPayload } from './request-payload.ts';
import type { RequestPayload } from './request-payload.ts';

/** A client's signed request, read and bounded; whether its signature is right is not known yet. */
export interface ParsedRequest {
  /** SHA-256 of the signing input, lower-case hex: the same for every signature over it. */
  requestId: string;
  requestIdBytes: Uint8Array;
  /** What the signature is over: protected header, dot, payload, as received. */
  signingInput: Uint8Array;
  signature: Uint8Array;
  header: RequestHeader;
  payload: RequestPayload;
  /** The compact JWS. */
  bytes: Uint8Array;
}

/**
 * Reads a request: a JWS in compact form whose header and payload have exactly the members of
 * docs/FORMATS.md. Times are compared with each other, not with a clock.
 *
 * @param jws ASCII; bytes are kept as a view, not copied.
 * @throws FORMATS_REQUEST_…, one code for every way to be wrong.
 * @see RFC 7515 section 7.1; section 4.1.11 would let unknown `crit` members through to be judged.
 */
export function parseRequest(jws: Uint8Array | string): ParsedRequest {
  // Before any copy: one UTF-16 unit is at least one byte.
  if (jws.length > limits.requestBytes) throw fault('FORMATS_REQUEST_TOO_LARGE');
  const bytes = typeof jws === 'string' ? utf8(jws) : plainView(jws);
  const text = typeof jws === 'string' ? jws : latin1Of(jws);
  const headerEnd = text.indexOf('.');
  const payloadEnd = text.indexOf('.', headerEnd + 1);
  const compact = headerEnd > 0 && payloadEnd > headerEnd && !text.includes('.', payloadEnd + 1);
  if (!compact) throw fault('FORMATS_REQUEST_NOT_COMPACT');
  const header = headerOf(text.slice(0, headerEnd));
  const payload = readRequestPayload(decodePart('payload', text.slice(headerEnd + 1, payloadEnd)));
  const signature = Uint8Array.from(decodePart('signature', text.slice(payloadEnd + 1)));
  if (signature.length === 0) throw fault('FORMATS_REQUEST_SIGNATURE_EMPTY');
  const signingInput = bytes.subarray(0, payloadEnd);
  const requestIdBytes = sha256(signingInput);
  return {
    requestId: toHex(requestIdBytes),
    requestIdBytes,
    signingInput,
    signature,
    header,
    payload,
    bytes,
  };
}

/** Header of a request to be made; `typ` is added. */
export type RequestSigner = { alg: JoseAlgorithm } & (
  | { kid: string }
  /** DER, the signer's certificate first. */
  | { x5c: readonly Uint8Array[] }
);

/**
 * The bytes a client signs; {@link assembleJws} makes the request of them and their signature.
 *
 * @param payload as {@link parseRequest} returns it.
 */
export function encodeRequest(signer: RequestSigner, payload: RequestPayload): Uint8Array {
  const key = 'kid' in signer ? { kid: signer.kid } : { x5c: signer.x5c.map(toBase64) };
  const header = { alg: signer.alg, typ: requestType, ...key };
  const part = (value: unknown) => toBase64Url(utf8(JSON.stringify(value)));
  const { channel, contract, operations, nonce, iat, exp } = payload;
  return utf8(`${part(header)}.${part({ channel, contract, operations, nonce, iat, exp })}`);
}

/** @returns the request in compact form. */
export function assembleJws(signingInput: Uint8Array, signature: Uint8Array): string {
  return `${latin1Of(signingInput)}.${toBase64Url(signature)}`;
}

/** Characters of base64url that a name and an algorithm need; more is spaces. */
const usualHeaderLength = 256;
/** Headers that name a key, as read: all requests of a client have the very same one. */
const headersKnown = new Map<string, RequestHeader>();

function headerOf(text: string): RequestHeader {
  const known = headersKnown.get(text);
  if (known !== undefined) return known;
  const header = readRequestHeader(decodePart('header', text));
  if (header.kid !== undefined && text.length <= usualHeaderLength) {
    if (headersKnown.size >= limits.requestHeadersCachedMax) headersKnown.clear();
    // A copy of the text: the part of a request would keep the whole of it in memory.
    headersKnown.set(Buffer.from(text, 'latin1').toString('latin1'), Object.freeze(header));
  }
  return header;
}

/** @returns a Buffer, to be read and dropped: a copy of it would cost more than the decoding. */
function decodePart(part: string, text: string): Buffer {
  const bytes = Buffer.from(text, 'base64url');
  // The decoder skips what it does not know; only the canonical text comes back the same.
  if (bytes.toString('base64url') !== text) {
    throw fault('FORMATS_REQUEST_ENCODING_INVALID', { part });
  }
  return bytes;
}

/** A Buffer's slice() shares memory where a Uint8Array's copies. */
function plainView(bytes: Uint8Array): Uint8Array {
  return bytes instanceof Buffer
    ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
    : bytes;
}
