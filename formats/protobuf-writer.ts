import { utf8 } from '#base';

const bytesAtStart = 1024;

/**
 * Writes protobuf from the end towards the front, so that a nested message's length is known when
 * its prefix is written and nothing is measured twice.
 */
export class ProtobufWriter {
  #buffer = new Uint8Array(bytesAtStart);
  #start = bytesAtStart;

  /** Bytes written so far; the difference of two readings is a nested message's length. */
  get length(): number {
    return this.#buffer.length - this.#start;
  }

  /** A copy of what was written; the writer can be reused after `reset`. */
  finish(): Uint8Array {
    return this.#buffer.slice(this.#start);
  }

  reset(): void {
    this.#start = this.#buffer.length;
  }

  /** @param value 0 … 2^53-1. */
  varint(value: number): void {
    let size = 1;
    for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) size += 1;
    let at = this.#reserve(size);
    let rest = value;
    // Bitwise operators hold 32 bits only; above that, division.
    while (rest > 0x7fffffff) {
      this.#buffer[at++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    while (rest > 127) {
      this.#buffer[at++] = (rest & 127) | 0x80;
      rest >>>= 7;
    }
    this.#buffer[at] = rest;
  }

  /** @param value any int64 or uint64; negative ones become their two's complement, 10 bytes. */
  varint64(value: bigint): void {
    if (value >= 0n && value <= 0x1fffffffffffffn) return this.varint(Number(value));
    let rest = BigInt.asUintN(64, value);
    let size = 1;
    for (let left = rest; left >= 128n; left >>= 7n) size += 1;
    let at = this.#reserve(size);
    while (rest > 127n) {
      this.#buffer[at++] = Number(rest & 127n) | 0x80;
      rest >>= 7n;
    }
    this.#buffer[at] = Number(rest);
  }

  bytes(value: Uint8Array): void {
    const at = this.#reserve(value.length);
    this.#buffer.set(value, at);
  }

  text(value: string): void {
    this.bytes(utf8(value));
  }

  #reserve(size: number): number {
    if (this.#start < size) this.#grow(size);
    this.#start -= size;
    return this.#start;
  }

  #grow(size: number): void {
    const used = this.length;
    const larger = new Uint8Array(Math.max(this.#buffer.length * 2, used + size + bytesAtStart));
    larger.set(this.#buffer.subarray(this.#start), larger.length - used);
    this.#buffer = larger;
    this.#start = larger.length - used;
  }
}
