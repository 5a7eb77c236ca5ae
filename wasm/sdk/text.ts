// Small text functions: the language's own number formatting brings floating point and tables with it.

/** Decimal digits of an integer. */
export function decimal(value: i64): string {
  if (value == i64.MIN_VALUE) return '-9223372036854775808';
  const digits = new StaticArray<u8>(20);
  let rest = value < 0 ? -value : value;
  let first = 20;
  do {
    digits[--first] = (48 + (rest % 10)) as u8;
    rest /= 10;
  } while (rest > 0);
  if (value < 0) digits[--first] = 45;
  return String.UTF8.decodeUnsafe(changetype<usize>(digits) + first, 20 - first);
}

export function utf8(text: string): Uint8Array {
  return Uint8Array.wrap(String.UTF8.encode(text));
}

export function isLowerHex(text: string): bool {
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (!((unit >= 48 && unit <= 57) || (unit >= 97 && unit <= 102))) return false;
  }
  return true;
}

export function toHex(bytes: Uint8Array): string {
  const digits = new StaticArray<u8>(bytes.length * 2);
  for (let index = 0; index < bytes.length; index++) {
    digits[index * 2] = hexDigit(bytes[index] >> 4);
    digits[index * 2 + 1] = hexDigit(bytes[index] & 15);
  }
  return String.UTF8.decodeUnsafe(changetype<usize>(digits), digits.length);
}

/** The text as a JSON string, quotes included. */
export function jsonText(text: string): string {
  let quoted = '';
  let copied = 0;
  for (let index = 0; index < text.length; index++) {
    // charCodeAt would check the index a second time, at twice the gas.
    const unit = load<u16>(changetype<usize>(text) + ((<usize>index) << 1));
    if (unit >= 32 && unit != 34 && unit != 92) continue;
    quoted += text.substring(copied, index) + escaped(unit);
    copied = index + 1;
  }
  return '"' + (copied == 0 ? text : quoted + text.substring(copied)) + '"';
}

function escaped(unit: i32): string {
  if (unit == 34) return '\\"';
  if (unit == 92) return '\\\\';
  const digits = new StaticArray<u8>(2);
  digits[0] = hexDigit((unit >> 4) as u8);
  digits[1] = hexDigit((unit & 15) as u8);
  return '\\u00' + String.UTF8.decodeUnsafe(changetype<usize>(digits), 2);
}

function hexDigit(value: u8): u8 {
  return value < 10 ? 48 + value : 87 + value;
}
