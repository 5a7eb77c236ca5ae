import { check, decimal, fail, isLowerHex } from 'countersign';

export function parseDigest(text: string): string {
  const good = text.length == 64 && isLowerHex(text);
  check(good, 'The digest must be the 64 lower-case hex digits of a SHA-256.');
  return text;
}

/** Lengths are in UTF-16 code units. */
export function parseText(text: string, what: string, lengthMin: i32, lengthMax: i32): string {
  if (text.length < lengthMin || text.length > lengthMax) {
    fail('The ' + what + ' must have 1 to ' + decimal(lengthMax) + ' characters.');
  }
  return text;
}

export function parseStepNumber(text: string): i32 {
  let value = 0;
  for (let index = 0; index < text.length; index++) {
    const digit = text.charCodeAt(index) - 48;
    check(digit >= 0 && digit <= 9, 'The step number must be decimal digits.');
    value = value * 10 + digit;
  }
  check(text.length >= 1 && text.length <= 8, 'The step number must have 1 to 8 digits.');
  return value;
}

export function depositKey(digest: string): string {
  return 'deposit/' + digest;
}

/** Eight digits, so that the keys' bytewise order is the steps' order. */
export function stepKey(digest: string, step: i32): string {
  return 'step/' + digest + '/' + decimal(step).padStart(8, '0');
}
