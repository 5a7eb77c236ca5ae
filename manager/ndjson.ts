const newline = 0x0a;
const carriageReturn = 0x0d;

/** The lines of a text, as views of its bytes; what ends the last line makes no further one. */
export function splitLines(bytes: Uint8Array): Uint8Array[] {
  const lines: Uint8Array[] = [];
  let start = 0;
  while (start < bytes.length) {
    const found = bytes.indexOf(newline, start);
    const end = found < 0 ? bytes.length : found;
    const isCrLf = end > start && bytes[end - 1] === carriageReturn;
    lines.push(bytes.subarray(start, isCrLf ? end - 1 : end));
    start = end + 1;
  }
  return lines;
}
