/** Small changes to one protobuf message, made field by field so that most of it stays readable. */

/** A number from 0 on and below the bound. */
export type Below = (bound: number) => number;

export interface RawField {
  readonly number: number;
  /** Where its tag begins, its value begins and it ends. */
  readonly start: number;
  readonly value: number;
  readonly end: number;
  readonly wireType: number;
}

const depthMax = 3;

/** The message with one change; the same numbers make the same change. */
export function mutated(message: Uint8Array, below: Below, depth = 0): Uint8Array {
  const fields = fieldsOf(message);
  const appended = additions[below(additions.length)]!;
  if (fields === undefined || fields.length === 0) return join(message, appended);
  const field = fields[below(fields.length)]!;
  const before = message.subarray(0, field.start);
  const tag = message.subarray(field.start, field.value);
  const whole = message.subarray(field.start, field.end);
  const after = message.subarray(field.end);
  const inner = contentOf(message, field);
  const kind = below(depth < depthMax && inner !== undefined ? 16 : 8);
  switch (kind) {
    case 0:
      return join(before, after);
    case 1:
      return join(message, whole);
    case 2:
      return join(before, after, whole);
    case 3:
      return join(before, whole, appended, after);
    case 4:
      return join(before, flipped(whole, below), after);
    case 5:
      return join(before, tag, Uint8Array.from(longVarints[below(longVarints.length)]!), after);
    case 6:
      return message.subarray(0, field.end - below(2));
    case 7:
      return join(before, [tag[0]! ^ 0x80, 0], tag, message.subarray(field.value));
    default:
      return join(before, tag, ...lengthened(mutatedContent(inner!, below, depth)), after);
  }
}

function mutatedContent(content: Uint8Array, below: Below, depth: number): Uint8Array {
  if (below(4) === 0) return flipped(content, below);
  if (below(8) === 0) return new Uint8Array(0);
  return mutated(content, below, depth + 1);
}

const additions: readonly (readonly number[])[] = [
  // Fields that nobody declared: varint, fixed64, bytes, group, fixed32.
  [0x78, 1],
  [0x79, 1, 2, 3, 4, 5, 6, 7, 8],
  [0x7a, 2, 0xff, 0xfe],
  [0x7b, 0x78, 1, 0x7c],
  [0x7d, 1, 2, 3, 4],
  // Field 1 to 4 again, as a varint and as bytes that are no text.
  [0x08, 1],
  [0x10, 1],
  [0x0a, 1, 0xff],
  [0x12, 0],
  [0x1a, 0],
  [0x22, 0],
  // Cut off, of field 0, of a field too high, a group that nobody opened.
  [0x0a, 0x7f],
  [0x00, 0],
  [0xf8, 0xff, 0xff, 0xff, 0x7f, 0],
  [0x7c],
];

const longVarints: readonly (readonly number[])[] = [
  [0x80, 0x00],
  [0x81, 0x80, 0x00],
  [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
  [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02],
  [0xff, 0xff, 0xff, 0xff, 0x0f],
];

function flipped(bytes: Uint8Array, below: Below): Uint8Array {
  const copy = Uint8Array.from(bytes);
  // Near the beginning: what comes later has a length that differs from run to run.
  const at = below(24) % Math.max(copy.length, 1);
  if (copy.length > 0) copy[at]! ^= 1 << below(8);
  return copy;
}

/** The fields as they come, declared or not. @returns undefined when it is no message. */
export function fieldsOf(message: Uint8Array): RawField[] | undefined {
  const fields: RawField[] = [];
  for (let at = 0; at < message.length;) {
    const tag = varintAt(message, at);
    const end = tag && endOfValue(message, tag.end, tag.value);
    if (tag === undefined || end === undefined || end > message.length) return undefined;
    const number = Math.floor(tag.value / 8);
    fields.push({ number, start: at, value: tag.end, end, wireType: tag.value % 8 });
    at = end;
  }
  return fields;
}

/** What a field of bytes or of a message holds; undefined for other wire types. */
export function contentOf(message: Uint8Array, field: RawField): Uint8Array | undefined {
  if (field.wireType !== 2) return undefined;
  return message.subarray(varintAt(message, field.value)!.end, field.end);
}

function endOfValue(message: Uint8Array, at: number, tag: number): number | undefined {
  const varint = varintAt(message, at);
  switch (tag % 8) {
    case 0:
      return varint?.end;
    case 1:
      return at + 8;
    case 2:
      return varint && varint.end + varint.value;
    case 3:
      return endOfGroup(message, at, tag);
    case 5:
      return at + 4;
    default:
      return undefined;
  }
}

function endOfGroup(message: Uint8Array, start: number, tag: number): number | undefined {
  for (let at: number | undefined = start; at !== undefined;) {
    const inner = varintAt(message, at);
    if (inner === undefined || inner.value === tag + 1) return inner?.end;
    at = endOfValue(message, inner.end, inner.value);
  }
  return undefined;
}

function varintAt(message: Uint8Array, at: number): { value: number; end: number } | undefined {
  let value = 0;
  for (let index = 0; index < 5; index += 1) {
    const byte = message[at + index];
    if (byte === undefined) return undefined;
    value += (byte & 127) * 2 ** (7 * index);
    if (byte < 128) return { value, end: at + index + 1 };
  }
  return undefined;
}

function lengthened(content: Uint8Array): [number[], Uint8Array] {
  const length: number[] = [];
  let rest = content.length;
  for (; rest >= 128; rest = Math.floor(rest / 128)) length.push((rest % 128) + 128);
  return [[...length, rest], content];
}

function join(...parts: (Uint8Array | readonly number[])[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}
