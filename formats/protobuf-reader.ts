import { limits, textOf } from '#base';
import { fault } from './faults.ts';

export const wireTypes = {
  varint: 0,
  fixed64: 1,
  bytes: 2,
  groupStart: 3,
  groupEnd: 4,
  fixed32: 5,
};

/** Reads protobuf the way Go's decoder does: same bytes accepted, same bytes refused. */
export class ProtobufReader {
  readonly #bytes: Uint8Array;
  #at: number;
  #end: number;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
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

  /** The next field number and wire type. @throws FORMATS_PROTOBUF_INVALID */
  tag(): { field: number; wireType: number } {
    const tag = this.#varintSmall();
    const field = Math.floor(tag / 8);
    if (field < 1 || field > 0x1fffffff) throw invalid('field number out of range');
    return { field, wireType: tag % 8 };
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
    const view = this.bytes();
    let text = '';
    // Nearly all strings here are short ASCII: appending beats a TextDecoder call.
    if (view.length <= 64) {
      for (const byte of view) {
        if (byte >= 128) return strictText(view);
        text += String.fromCharCode(byte);
      }
      return text;
    }
    return strictText(view);
  }

  skip(field: number, wireType: number, depth = 0): void {
    if (depth > limits.protobufDepthMax) throw invalid('groups too deep');
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
      case wireTypes.groupStart:
        this.#skipGroup(field, depth);
        return;
      default:
        throw invalid('wire type unknown or group not open');
    }
  }

  #skipGroup(field: number, depth: number): void {
    for (;;) {
      const inner = this.tag();
      if (inner.wireType === wireTypes.groupEnd) {
        if (inner.field !== field) throw invalid('group closed by another');
        return;
      }
      this.skip(inner.field, inner.wireType, depth + 1);
    }
  }

  #length(): number {
    const length = this.#varintSmall();
    if (length > this.#end - this.#at) throw invalid('truncated');
    return length;
  }

  /** A varint as a number: exact below 2^53, and far out of every bound above it. */
  #varintSmall(): number {
    const first = this.#bytes[this.#at];
    if (first !== undefined && first < 128 && this.#at < this.#end) {
      this.#at += 1;
      return first;
    }
    return Number(this.varint64());
  }

  #advance(count: number): void {
    if (count > this.#end - this.#at) throw invalid('truncated');
    this.#at += count;
  }

  #byte(): number {
    if (this.#at >= this.#end) throw invalid('truncated');
    return this.#bytes[this.#at++] as number;
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
