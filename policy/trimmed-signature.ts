import { derSequence } from '#crypto';

/**
 * The two numbers of an ECDSA signature without whatever follows them, inside their SEQUENCE or
 * behind it: Go's decoder passes over both, so a stock peer takes such a signature and a stricter
 * reader would come to another verdict.
 *
 * @returns the argument itself when nothing had to go; undefined when there are no two numbers.
 * @see Go encoding/asn1, parseField of a struct; Fabric bccsp/utils/ecdsa.go.
 */
export function trimmedSignature(signature: Uint8Array): Uint8Array | undefined {
  if (signature[0] !== sequenceTag) return undefined;
  const outer = lengthAt(signature, 1);
  if (outer === undefined || outer.end > signature.length) return undefined;
  const content = signature.subarray(outer.start, outer.end);
  const first = numberEnd(content, 0);
  const second = first === undefined ? undefined : numberEnd(content, first);
  if (second === undefined) return undefined;
  const whole = second === content.length && outer.end === signature.length;
  return whole ? signature : derSequence(content.subarray(0, second));
}

const sequenceTag = 0x30;
const integerTag = 0x02;

/** Where the INTEGER at the offset ends; numbers of curves in use need no long length. */
function numberEnd(content: Uint8Array, offset: number): number | undefined {
  const length = content[offset + 1];
  if (content[offset] !== integerTag || length === undefined || length >= 0x80) return undefined;
  const end = offset + 2 + length;
  return end <= content.length ? end : undefined;
}

/** A definite length of the fewest octets, and where its content lies. */
function lengthAt(bytes: Uint8Array, offset: number): { start: number; end: number } | undefined {
  const first = bytes[offset];
  if (first === undefined) return undefined;
  if (first < 0x80) return { start: offset + 1, end: offset + 1 + first };
  const octets = first & 0x7f;
  const start = offset + 1 + octets;
  if (octets === 0 || octets > 4 || start > bytes.length) return undefined;
  const length = bytes.subarray(offset + 1, start).reduce((sum, octet) => sum * 256 + octet, 0);
  const minimal = length >= 0x80 && length >= 256 ** (octets - 1);
  return minimal ? { start, end: start + length } : undefined;
}
