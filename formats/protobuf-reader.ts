import { textOf } from '#base';
import { fault } from './faults.ts';

export const wireTypes = {
  varint: 0,
  fixed64: 1,
  bytes: 2,
  groupStart: 3,
  groupEnd: 4,
  fixed32: 5,
};

/** Go's protowire counts depth 10000 down to zero, both included (DefaultRecursionLimit). */
const groupDepthMax = 10_001;
/** The highest tag of a field a message may declare, and of one inside an unknown group. */
const tagMax = 0x1fffffff * 8 + 7;
const tagInGroupMax = 0x7fffffff * 8 + 7;

/** Reads protobuf the way Go's decoder does: same bytes accepted, same bytes refused. */
export class ProtobufReader {
  readonly #bytes: Uint8Array;
  #at: number;
  #end: number;
  /** Over the same memory, made when a string is read. */
  #buffer: Buffer | undefined;

  constructor(bytes: Uint8Array) {
    // A Buffer's views are Buffers, whose slice() shares memory where a Uint8Array's copies.
    this.#bytes =
      bytes.constructor === Uint8Array
        ? bytes
        : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#at = 0;
    this.#end = bytes.length;
  }

  get done(): boolean {
    return this.#at >= this.#end;
  }

  get offset(): number {
    return this.#at;
  }

  /** Narrows the reader to the next length-delimited value; give the result to `leave`. */
  enter(): number {
    const length = this.#length();
    const outerEnd = this.#end;
    this.#end = this.#at + length;
    return outerEnd;
  }

  leave(outerEnd: number): void {
    this.#end = outerEnd;
  }

  /** The next tag: field number times 8, plus wire type. @throws FORMATS_PROTOBUF_INVALID */
  tag(): number {
    return this.#tag(tagMax);
  }

  #tag(max: number): number {
    const tag = this.#varintSmall();
    if (tag < 8 || tag > max) throw invalid('field number out of range');
    return tag;
  }

  /** @returns the low 32 bits, unsigned, of a varint of up to 64 bits, as Go truncates. */
  varint32(): number {
    const first = this.#bytes[this.#at];
    if (first !== undefined && first < 128 && this.#at < this.#end) {
      this.#at += 1;
      return first;
    }
    return Number(BigInt.asUintN(32, this.varint64()));
  }

  varint64(): bigint {
    let low = 0;
    for (let index = 0; index < 4; index += 1) {
      const byte = this.#byte();
      low |= (byte & 127) << (7 * index);
      if (byte < 128) return BigInt(low);
    }
    return this.#varintRest(BigInt(low));
  }

  #varintRest(low: bigint): bigint {
    let value = low;
    for (let index = 4; index < 10; index += 1) {
      const byte = this.#byte();
      // The tenth byte carries bit 63 alone; anything more does not fit 64 bits.
      if (index === 9 && byte > 1) throw invalid('varint over 64 bits');
      value |= BigInt(byte & 127) << BigInt(7 * index);
      if (byte < 128) return value;
    }
    throw invalid('varint over 10 bytes');
  }

  /** A view, not a copy, of the next length-delimited value. */
  bytes(): Uint8Array {
    const length = this.#length();
    const view = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    return view;
  }

  text(): string {
    const length = this.#length();
    if (length === 0) return '';
    const start = this.#at;
    const end = (this.#at = start + length);
    for (let index = start; index < end; index += 1) {
      if (this.#bytes[index]! >= 128) return strictText(this.#bytes.subarray(start, end));
    }
    const { buffer, byteOffset } = this.#bytes;
    this.#buffer ??= Buffer.from(buffer, byteOffset, this.#bytes.length);
    return this.#buffer.toString('latin1', start, end);
  }

  skip(tag: number): void {
    const wireType = tag % 8;
    if (wireType === wireTypes.groupStart) this.#skipGroup(tag);
    else this.#skipValue(wireType);
  }

  #skipValue(wireType: number): void {
    switch (wireType) {
      case wireTypes.varint:
        this.varint64();
        return;
      case wireTypes.fixed64:
        this.#advance(8);
        return;
      case wireTypes.bytes:
        this.#advance(this.#length());
        return;
      case wireTypes.fixed32:
        this.#advance(4);
        return;
      default:
        throw invalid('wire type unknown or group not open');
    }
  }

  /** Without recursion: Go's limit is deeper than a stack of ours is sure to be. */
  #skipGroup(tag: number): void {
    const open = [tag];
    while (open.length > 0) {
      const inner = this.#tag(tagInGroupMax);
      const wireType = inner % 8;
      if (wireType === wireTypes.groupStart) {
        if (open.length === groupDepthMax) throw invalid('groups too deep');
        open.push(inner);
      } else if (wireType === wireTypes.groupEnd) {
        const opened = open.pop();
        if (inner - wireTypes.groupEnd + wireTypes.groupStart !== opened) {
          throw invalid('group closed by another');
        }
      } else this.#skipValue(wireType);
    }
  }

  #length(): number {
    const length = this.#varintSmall();
    if (length > this.#end - this.#at) throw invalid('truncated');
    return length;
  }

  /** A varint as a number: exact below 2^53, and far out of every bound above it. */
  #varintSmall(): number {
    const at = this.#at;
    if (at < this.#end) {
      const first = this.#bytes[at]!;
      if (first < 128) {
        this.#at = at + 1;
        return first;
      }
      if (at + 1 < this.#end) {
        const second = this.#bytes[at + 1]!;
        if (second < 128) {
          this.#at = at + 2;
          return (first & 127) | (second << 7);
        }
      }
    }
    return Number(this.varint64());
  }

  #advance(count: number): void {
    if (count > this.#end - this.#at) throw invalid('truncated');
    this.#at += count;
  }

  #byte(): number {
    if (this.#at >= this.#end) throw invalid('truncated');
    return this.#bytes[this.#at++]!;
  }
}

export function invalid(reason: string): Error {
  return fault('FORMATS_PROTOBUF_INVALID', { reason });
}

function strictText(view: Uint8Array): string {
  try {
    return textOf(view);
  } catch (cause) {
    throw fault('FORMATS_PROTOBUF_INVALID', { reason: 'string is not UTF-8' }, cause);
  }
}
