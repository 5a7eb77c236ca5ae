// One function for each thing that the SDK offers and for each way to misbehave.

import {
  Context,
  State,
  arg,
  argBytes,
  argCount,
  check,
  decimal,
  emit,
  emitBytes,
  expectArgs,
  fail,
  jsonText,
  packFields,
  setResult,
  setResultBytes,
  sha256,
  toHex,
  unpackFields,
  utf8,
} from 'countersign';

let calls: i32 = 0;
const seen: string[] = [];

/** The hot key: adds one. */
export function increment(): void {
  const key = arg(0);
  const before = State.getText(key);
  const after = (before === null ? 0 : I32.parseInt(before)) + 1;
  State.putText(key, decimal(after));
  setResult(decimal(after));
}

/** Says how often it was called, which must always be once. */
export function callsSeen(): void {
  calls += 1;
  seen.push(arg(0));
  setResult(decimal(calls) + ' ' + seen.join(','));
}

export function args(): void {
  const parts: string[] = [];
  for (let index = 0; index < argCount(); index++) parts.push(jsonText(arg(index)));
  setResult('[' + parts.join(',') + ']');
}

export function who(): void {
  setResult(
    [Context.clientId(), Context.clientMsp(), Context.requestId(), decimal(Context.timeMs())].join(
      ' ',
    ),
  );
}

export function whispered(): void {
  const value = Context.transient(arg(0));
  setResult(value === null ? 'nothing' : decimal(value.length));
}

export function digest(): void {
  setResult(toHex(sha256(argBytes(0))));
}

export function put(): void {
  State.put(arg(0), argBytes(1));
}

export function get(): void {
  const value = State.get(arg(0));
  if (value === null) fail('There is no such key.');
  setResultBytes(value!);
}

export function remove(): void {
  check(State.has(arg(0)), 'There is no such key.');
  State.remove(arg(0));
}

/** Keys and values from start to end, as `key=value,…`, stopping after `stop` results. */
export function list(): void {
  expectArgs(4);
  const range = State.range(arg(0), arg(1), I32.parseInt(arg(2)));
  const stop = I32.parseInt(arg(3));
  const parts: string[] = [];
  while (parts.length < stop && range.next()) {
    parts.push(range.key + '=' + String.UTF8.decode(range.value().buffer));
  }
  if (parts.length == stop) range.close();
  setResult(parts.join(','));
}

export function openRanges(): void {
  for (let count = I32.parseInt(arg(0)); count > 0; count--) State.range('', '');
}

export function fields(): void {
  const list: string[] = [];
  for (let index = 0; index < argCount(); index++) list.push(arg(index));
  setResult(unpackFields(packFields(list)).join('|'));
}

export function decimals(): void {
  setResult([decimal(0), decimal(-7), decimal(i64.MIN_VALUE), decimal(i64.MAX_VALUE)].join(' '));
}

export function emits(): void {
  for (let count = I32.parseInt(arg(0)); count > 0; count--) emit('counted', decimal(count));
}

export function emitLarge(): void {
  emitBytes('large', new Uint8Array(I32.parseInt(arg(0))));
}

export function resultOf(): void {
  setResultBytes(new Uint8Array(I32.parseInt(arg(0))));
}

export function putOf(): void {
  State.put(arg(0), new Uint8Array(I32.parseInt(arg(1))));
}

export function putMany(): void {
  const value = new Uint8Array(I32.parseInt(arg(1)));
  for (let count = I32.parseInt(arg(0)); count > 0; count--) State.put(decimal(count), value);
}

export function keyOf(): void {
  State.putText('k'.repeat(I32.parseInt(arg(0))), 'v');
}

export function loneSurrogate(): void {
  State.putText(String.fromCharCode(0xd800), 'v');
}

export function throws(): void {
  throw new Error(arg(0));
}

export function outOfBounds(): void {
  setResult(utf8('abc')[I32.parseInt(arg(0))].toString());
}

export function hog(): void {
  const kept: Uint8Array[] = [];
  for (;;) kept.push(new Uint8Array(1 << 20));
}

export function endless(): void {
  let spin: i32 = 0;
  while (spin >= 0) spin = (spin + 1) & 0xff;
}

export function recurse(): void {
  setResult(decimal(sum(I32.parseInt(arg(0)))));
}

function sum(count: i32): i64 {
  return count == 0 ? 0 : sum(count - 1) + sum(count - 1);
}
