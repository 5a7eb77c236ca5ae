import { fault } from './faults.ts';

/**
 * Reads a bounded window of a WebAssembly binary, front to back.
 *
 * @throws WASM_CODE_MALFORMED from every method that would pass the end or meets a bad encoding.
 * @see WebAssembly Core 2.0, section 5.2 (values).
 */
export class Reader {
  readonly bytes: Uint8Array;
  readonly end: number;
  offset: number;

  constructor(bytes: Uint8Array, offset = 0, end = bytes.length) {
    this.bytes = bytes;
    this.offset = offset;
    this.end = end;
  }

  get atEnd(): boolean {
    return this.offset === this.end;
  }

  u8(): number {
    if (this.offset >= this.end) throw this.malformed('truncated');
    return this.bytes[this.offset++] as number;
  }

  u32(): number {
    let value = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.u8();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    const last = this.u8();
    if (last > 0x0f) throw this.malformed('integer too long');
    return (value | (last << 28)) >>> 0;
  }

  /** @returns the value as a signed 32-bit number. */
  s32(): number {
    let value = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.u8();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return (value << (25 - shift)) >> (25 - shift);
    }
    const last = this.u8();
    // Four bits are left; the three above them must repeat the sign.
    if (last > 0x07 && (last < 0x78 || last > 0x7f)) throw this.malformed('integer too long');
    return value | (last << 28);
  }

  skipS64(): void {
    for (let index = 0; index < 9; index += 1) {
      if (this.u8() < 0x80) return;
    }
    const last = this.u8();
    if (last !== 0x00 && last !== 0x7f) throw this.malformed('integer too long');
  }

  /** @returns a view, not a copy. */
  take(length: number): Uint8Array {
    if (length > this.end - this.offset) throw this.malformed('truncated');
    this.offset += length;
    return this.bytes.subarray(this.offset - length, this.offset);
  }

  /** @returns a reader over the next `length` bytes; this one goes on behind them. */
  window(length: number): Reader {
    const start = this.offset;
    this.take(length);
    return new Reader(this.bytes, start, this.offset);
  }

  name(): string {
    const bytes = this.take(this.u32());
    try {
      return strictUtf8.decode(bytes);
    } catch (cause) {
      throw fault('WASM_CODE_MALFORMED', { reason: 'name is not UTF-8', at: this.offset }, cause);
    }
  }

  /** A vector's length, refused when it passes the bound on parts of this kind. */
  count(what: string, countMax: number): number {
    const count = this.u32();
    if (count > countMax) throw fault('WASM_SHAPE_OVERSIZE', { what, count, countMax });
    return count;
  }

  expectEnd(what: string): void {
    if (!this.atEnd) throw this.malformed(`trailing bytes in ${what}`);
  }

  malformed(reason: string): Error {
    return fault('WASM_CODE_MALFORMED', { reason, at: this.offset });
  }
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
