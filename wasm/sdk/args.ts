import * as host from './countersign';
import { fail } from './outcome';
import { decimal } from './text';
import { takeBytes, takeText } from './transfer';

export function argCount(): i32 {
  return host.argCount();
}

/** The argument at the index, from 0; one that was not given ends the invocation. */
export function arg(index: i32): string {
  return takeText(host.arg(index));
}

/** The UTF-8 bytes of the argument at the index. */
export function argBytes(index: i32): Uint8Array {
  return takeBytes(host.arg(index));
}

/** Fails unless the number of arguments lies within the bounds. */
export function expectArgs(countMin: i32, countMax: i32 = countMin): void {
  const count = host.argCount();
  if (count >= countMin && count <= countMax) return;
  const wanted =
    countMin == countMax ? decimal(countMin) : decimal(countMin) + ' to ' + decimal(countMax);
  fail('The function takes ' + wanted + ' arguments.');
}
