import { isUtf8 } from 'node:buffer';
import { limits } from '#base';
import type { Field } from './protobuf-fields.ts';

/** What a walk has to know of a message type. */
export interface WalkedType {
  readonly fields: Readonly<Record<string, Field<unknown>>>;
  /** Names of fields of which at most one may be set. */
  readonly oneofs: readonly (readonly string[])[];
}

/**
 * Says whether bytes are surely what encoding a value of this type gives, without decoding: fields in
 * order, numbers in their shortest form, no zero written that need not be, text that is UTF-8.
 *
 * @returns true: they are. False: decode, encode and compare, they may be all the same.
 */
export function isSurelyCanonical(type: WalkedType, bytes: Uint8Array): boolean {
  return walk(planOf(type), bytes, 0, bytes.length, 0);
}

interface Step {
  /** Of its field among the type's, by number. */
  order: number;
  /** Of a number; undefined for what has a length. A negative int32 is above it, for the encoder. */
  valueMax: number | undefined;
  mayRepeat: boolean;
  mayBeZero: boolean;
  isText: boolean;
  /** Which oneof it belongs to; -1: none. */
  oneof: number;
  message: (() => WalkedType) | undefined;
  /** Of `message`, once it was wanted: types may name each other in a circle. */
  plan?: Plan;
}

const valuesMax: Readonly<Partial<Record<Field<unknown>['kind'], number>>> = {
  bool: 1,
  uint32: 0xffffffff,
  int32: 0x7fffffff,
  uint64: Infinity,
  int64: Infinity,
};

/** By tag. */
type Plan = readonly (Step | undefined)[];

const plans = new WeakMap<WalkedType, Plan>();

function planOf(type: WalkedType): Plan {
  const known = plans.get(type);
  if (known !== undefined) return known;
  const plan: (Step | undefined)[] = [];
  const entries = Object.entries(type.fields).sort(([, a], [, b]) => a.number - b.number);
  for (const [order, [name, field]] of entries.entries()) {
    // Packed numbers and maps have more than one way to be written: they are left to the encoder.
    if (field.wireTypes.length > 1 || field.kind === 'map') continue;
    plan[field.number * 8 + field.wireTypes[0]!] = {
      order,
      valueMax: valuesMax[field.kind],
      mayRepeat: field.repeated,
      mayBeZero: field.repeated || field.kind === 'message' || field.initial() === undefined,
      isText: field.kind === 'text',
      oneof: type.oneofs.findIndex((group) => group.includes(name)),
      message: field.message,
    };
  }
  plans.set(type, plan);
  return plan;
}

/** Where the number that was read last ends; -1: it is not in its shortest form, or cut off. */
let numberEnd = 0;

function walk(plan: Plan, bytes: Uint8Array, start: number, end: number, depth: number): boolean {
  if (depth > limits.protobufDepthMax) return false;
  let at = start;
  let lastOrder = -1;
  let oneofsSeen = 0;
  while (at < end) {
    const step = plan[readNumber(bytes, at, end)];
    if (numberEnd < 0 || step === undefined) return false;
    at = numberEnd;
    if (step.order < lastOrder || (step.order === lastOrder && !step.mayRepeat)) return false;
    lastOrder = step.order;
    if (step.oneof >= 0) {
      const bit = 1 << step.oneof;
      if ((oneofsSeen & bit) !== 0) return false;
      oneofsSeen |= bit;
    }
    at = walkValue(step, bytes, at, end, depth);
    if (at < 0) return false;
  }
  return at === end;
}

/** @returns where the value ends, or -1. */
function walkValue(step: Step, bytes: Uint8Array, at: number, end: number, depth: number): number {
  const value = readNumber(bytes, at, end);
  if (numberEnd < 0 || (value === 0 && !step.mayBeZero)) return -1;
  if (step.valueMax !== undefined) return value <= step.valueMax ? numberEnd : -1;
  const start = numberEnd;
  const valueEnd = start + value;
  if (valueEnd > end) return -1;
  if (step.isText && !isText(bytes, start, valueEnd)) return -1;
  if (step.message === undefined) return valueEnd;
  step.plan ??= planOf(step.message());
  return walk(step.plan, bytes, start, valueEnd, depth + 1) ? valueEnd : -1;
}

function isText(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at += 1) {
    if (bytes[at]! >= 128) return isUtf8(bytes.subarray(at, end));
  }
  return true;
}

/** A varint in its shortest form; above 2^53 its value is not exact, but never small. */
function readNumber(bytes: Uint8Array, start: number, end: number): number {
  let value = 0;
  let scale = 1;
  for (let at = start; at < end && at < start + varintBytesMax; at += 1) {
    const byte = bytes[at]!;
    value += (byte & 127) * scale;
    if (byte < 128) {
      const isTooLong =
        (byte === 0 && at > start) || (at === start + varintBytesMax - 1 && byte > 1);
      numberEnd = isTooLong ? -1 : at + 1;
      return value;
    }
    scale *= 128;
  }
  numberEnd = -1;
  return 0;
}

const varintBytesMax = 10;
