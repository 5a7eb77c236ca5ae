import { latin1Of } from '#base';
/**
 * The content of the first PEM block, found as Go's `pem.Decode` finds it, because that is how stock
 * peers read an identity: text before and after the block, its label, its headers and white space in
 * the base64 do not matter. A stricter reader would refuse transactions that stock peers commit.
 *
 * @returns undefined when there is no block.
 */
export function firstPemBlock(bytes: Uint8Array): Uint8Array | undefined {
  const text = latin1Of(bytes);
  let start = text.startsWith(beginMark) ? 0 : nextLineStarting(text, beginMark, 0);
  while (start !== undefined) {
    const content = blockContent(text, start + beginMark.length);
    if (content !== undefined) return content;
    start = nextLineStarting(text, beginMark, start);
  }
  return undefined;
}

const beginMark = '-----BEGIN ';
const endMark = '-----END ';
const dashes = '-----';

function nextLineStarting(text: string, mark: string, from: number): number | undefined {
  const found = text.indexOf(`\n${mark}`, from);
  return found < 0 ? undefined : found + 1;
}

/** Reads the block whose label starts at the offset; undefined when it is no well-formed block. */
function blockContent(text: string, labelStart: number): Uint8Array | undefined {
  const first = lineAt(text, labelStart);
  if (!first.line.endsWith(dashes)) return undefined;
  const label = first.line.slice(0, -dashes.length);
  const bodyStart = skipHeaders(text, first.next);
  // A block without content may have its end line at once, but only where there is no header.
  const atOnce = bodyStart === first.next && text.startsWith(endMark, bodyStart);
  const end = atOnce ? bodyStart : nextLineStarting(text, endMark, bodyStart);
  if (end === undefined) return undefined;
  const last = lineAt(text, end + endMark.length);
  if (last.line !== label + dashes) return undefined;
  return looseBase64(text.slice(bodyStart, end));
}

/** A line without its end and without the blanks before it, as Go's getLine cuts it. */
function lineAt(text: string, start: number): { line: string; next: number } {
  const end = text.indexOf('\n', start);
  const stop = end < 0 ? text.length : end;
  const line = text.slice(start, stop).replace(/[\r \t]+$/, '');
  return { line, next: end < 0 ? text.length : end + 1 };
}

function skipHeaders(text: string, start: number): number {
  let at = start;
  while (at < text.length) {
    const { line, next } = lineAt(text, at);
    if (!line.includes(':')) break;
    at = next;
  }
  return at;
}

/** Base64 with padding; stray bits in the last character are let pass, as Go lets them pass. */
function looseBase64(body: string): Uint8Array | undefined {
  const packed = body.replace(/[\r\n \t]/g, '');
  const wellFormed = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
  return wellFormed.test(packed) ? Uint8Array.from(Buffer.from(packed, 'base64')) : undefined;
}
