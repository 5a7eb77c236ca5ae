import { isUtf8 } from 'node:buffer';
import { limits } from '#base';

/** Why a JSON text was refused. */
export type JsonProblem = 'utf8' | 'syntax' | 'depth' | 'duplicate' | 'surrogate';

/**
 * Reads JSON (RFC 8259) as its signer meant it, and no text that two readers may read differently:
 * strict UTF-8, no member twice, no lone surrogate, no nesting past `limits.jsonDepthMax`.
 *
 * @param refuse makes the caller's own fault of a problem.
 */
export function parseStrictJson(
  bytes: Uint8Array,
  refuse: (problem: JsonProblem, cause?: unknown) => Error,
): unknown {
  if (!isUtf8(bytes)) throw refuse('utf8');
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
  const members = countMembers(text);
  // Before the parser builds anything of it: a megabyte of brackets is a million arrays.
  if (members === undefined) throw refuse('depth');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw refuse('syntax', cause);
  }
  // The parser keeps the last of two members with one name, so then there are fewer than written.
  if (countKeys(value) !== members) throw refuse('duplicate');
  // Escapes can spell what UTF-8 cannot: such a text would not survive being written down.
  if (text.includes('\\u') && !isWellFormed(value)) throw refuse('surrogate');
  return value;
}

export type JsonObject = Readonly<Record<string, unknown>>;

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const quote = 0x22;
const colon = 0x3a;
const openList = 0x5b;
const backslash = 0x5c;
const closeList = 0x5d;
const openObject = 0x7b;
const closeObject = 0x7d;

/**
 * Counts members as written; the text need not be JSON yet.
 *
 * @returns undefined when it is nested too deeply.
 */
function countMembers(text: string): number | undefined {
  let members = 0;
  let depth = 0;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code === quote) {
      index = endOfString(text, index);
    } else if (code === colon) {
      members += 1;
    } else if (code === openObject || code === openList) {
      depth += 1;
      if (depth > limits.jsonDepthMax) return undefined;
    } else if (code === closeObject || code === closeList) {
      depth -= 1;
    }
  }
  return members;
}

/** Index of the quote that closes the string opened at `start`; the text's length when none does. */
function endOfString(text: string, start: number): number {
  const near = Math.min(text.length, start + shortString);
  let index = start + 1;
  while (index < near) {
    const code = text.charCodeAt(index);
    if (code === quote) return index;
    index += code === backslash ? 2 : 1;
  }
  return index < text.length ? endOfLongString(text, index) : text.length;
}

/** Up to here a loop is faster than a search. */
const shortString = 64;

function endOfLongString(text: string, from: number): number {
  for (let end = text.indexOf('"', from); end !== -1; end = text.indexOf('"', end + 1)) {
    let before = end - 1;
    while (before >= from && text.charCodeAt(before) === backslash) before -= 1;
    const escaped = (end - before) % 2 === 0;
    if (!escaped) return end;
  }
  return text.length;
}

function countKeys(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const members: readonly unknown[] = Array.isArray(value) ? value : Object.values(value);
  let count = Array.isArray(value) ? 0 : members.length;
  for (const member of members) {
    if (typeof member === 'object') count += countKeys(member);
  }
  return count;
}

function isWellFormed(value: unknown): boolean {
  if (typeof value === 'string') return value.isWellFormed();
  if (typeof value !== 'object' || value === null) return true;
  return Object.entries(value).every(
    ([name, member]) => name.isWellFormed() && isWellFormed(member),
  );
}
