import { markAsUntransferable } from 'node:worker_threads';
import { utf8 } from '#base';

/**
 * As Node's own Buffers: results share a slab, since an allocation costs more than most of them do.
 * A worker that is sent one result gets a copy of its whole slab, so it is no larger than this.
 */
const slabBytes = 32 * 1024;
/** Kept for the messages that need more than a slab; each is copied out of it once, when it is done. */
const largeBytes = 1024 * 1024;
/** Up to here copying byte by byte beats a call of `set`. */
const shortBytes = 24;
/** Up to here strings are tried as ASCII, unit by unit. */
const shortText = 96;

/**
 * Writes protobuf from the end towards the front, so that a nested message's length is known when
 * its prefix is written and nothing is measured twice. What was written is handed out where it
 * stands; the next message goes in front of it.
 */
export class ProtobufWriter {
  #slab = newSlab(slabBytes);
  /** What of the slab is still free, while a message is written elsewhere. */
  #slabEnd = slabBytes;
  #large: Uint8Array | undefined;
  #buffer = this.#slab;
  #end = slabBytes;
  #start = slabBytes;

  /** Bytes written so far; the difference of two readings is a nested message's length. */
  get length(): number {
    return this.#end - this.#start;
  }

  /** What was written since the last call; the writer is ready for the next message. */
  finish(): Uint8Array {
    const written = this.#buffer.subarray(this.#start, this.#end);
    if (this.#buffer === this.#slab) {
      this.#end = this.#start;
      return written;
    }
    this.#returnToSlab();
    return written.slice();
  }

  /** Forgets a message that was begun and failed. */
  reset(): void {
    if (this.#buffer === this.#slab) this.#start = this.#end;
    else this.#returnToSlab();
  }

  /** @param value 0 … 2^53-1. */
  varint(value: number): void {
    if (value < 128) {
      if (this.#start === 0) this.#grow(1);
      this.#start -= 1;
      this.#buffer[this.#start] = value;
    } else this.#longVarint(value);
  }

  #longVarint(value: number): void {
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
    const size = value.length;
    const at = this.#reserve(size);
    if (size > shortBytes) this.#buffer.set(value, at);
    else for (let index = 0; index < size; index += 1) this.#buffer[at + index] = value[index]!;
  }

  text(value: string): void {
    const size = value.length;
    if (size > shortText) return this.bytes(utf8(value));
    const at = this.#reserve(size);
    for (let index = 0; index < size; index += 1) {
      const code = value.charCodeAt(index);
      if (code > 127) {
        this.#start += size;
        return this.bytes(utf8(value));
      }
      this.#buffer[at + index] = code;
    }
  }

  #reserve(size: number): number {
    if (this.#start < size) this.#grow(size);
    this.#start -= size;
    return this.#start;
  }

  /** Moves the message that is being written to where there is room for it and `size` more. */
  #grow(size: number): void {
    const used = this.length;
    const needed = used + size;
    const written = this.#buffer.subarray(this.#start, this.#end);
    if (needed <= slabBytes) this.#slab = this.#buffer = newSlab(slabBytes);
    else {
      if (this.#buffer === this.#slab) this.#slabEnd = this.#end;
      this.#buffer = needed <= largeBytes ? (this.#large ??= newSlab(largeBytes)) : larger(needed);
    }
    this.#end = this.#buffer.length;
    this.#start = this.#end - used;
    this.#buffer.set(written, this.#start);
  }

  #returnToSlab(): void {
    this.#buffer = this.#slab;
    this.#end = this.#start = this.#slabEnd;
  }
}

function larger(needed: number): Uint8Array {
  return newSlab(needed * 2);
}

function newSlab(size: number): Uint8Array {
  // Not zeroed: every byte of a result is written before anyone sees it.
  const { buffer } = Buffer.allocUnsafeSlow(size);
  // Transferring one result to a worker would take all others away with it.
  markAsUntransferable(buffer);
  return new Uint8Array(buffer);
}
