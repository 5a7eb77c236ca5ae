import { emptyBytes } from '#base';
import type { Message } from './protobuf.ts';
import { ProtobufReader, wireTypes } from './protobuf-reader.ts';
import type { ProtobufWriter } from './protobuf-writer.ts';

/** How one field of a message is written and read; made by the functions below. */
export interface Field<Value> {
  readonly number: number;
  /** Wire types a decoder takes for this field; any other is an unknown field, as in Go. */
  readonly wireTypes: readonly number[];
  initial(): Value;
  write(writer: ProtobufWriter, value: Value): void;
  /** @param soFar the value read before, for merging and appending. */
  read(reader: ProtobufReader, soFar: Value, wireType: number, depth: number): Value;
}

type Scalar<Value> = Pick<Field<Value>, 'write'> & {
  wireType: number;
  zero: Value;
  isZero: (value: Value) => boolean;
  read: (reader: ProtobufReader) => Value;
};

const scalars = {
  bytes: {
    wireType: wireTypes.bytes,
    zero: emptyBytes,
    isZero: (value: Uint8Array) => value.length === 0,
    write: (writer: ProtobufWriter, value: Uint8Array) => {
      writer.bytes(value);
      writer.varint(value.length);
    },
    read: (reader: ProtobufReader) => reader.bytes(),
  },
  text: {
    wireType: wireTypes.bytes,
    zero: '',
    isZero: (value: string) => value === '',
    write: (writer: ProtobufWriter, value: string) => {
      const before = writer.length;
      writer.text(value);
      writer.varint(writer.length - before);
    },
    read: (reader: ProtobufReader) => reader.text(),
  },
  bool: {
    wireType: wireTypes.varint,
    zero: false,
    isZero: (value: boolean) => !value,
    write: (writer: ProtobufWriter, value: boolean) => writer.varint(value ? 1 : 0),
    read: (reader: ProtobufReader) => reader.varint64() !== 0n,
  },
  uint32: {
    wireType: wireTypes.varint,
    zero: 0,
    isZero: (value: number) => value === 0,
    write: (writer: ProtobufWriter, value: number) => writer.varint(value),
    read: (reader: ProtobufReader) => reader.varint32(),
  },
  int32: {
    wireType: wireTypes.varint,
    zero: 0,
    isZero: (value: number) => value === 0,
    write: (writer: ProtobufWriter, value: number) =>
      value < 0 ? writer.varint64(BigInt(value)) : writer.varint(value),
    read: (reader: ProtobufReader) => reader.varint32() | 0,
  },
  uint64: {
    wireType: wireTypes.varint,
    zero: 0n,
    isZero: (value: bigint) => value === 0n,
    write: (writer: ProtobufWriter, value: bigint) => writer.varint64(value),
    read: (reader: ProtobufReader) => reader.varint64(),
  },
  int64: {
    wireType: wireTypes.varint,
    zero: 0n,
    isZero: (value: bigint) => value === 0n,
    write: (writer: ProtobufWriter, value: bigint) => writer.varint64(value),
    read: (reader: ProtobufReader) => BigInt.asIntN(64, reader.varint64()),
  },
} satisfies Record<string, unknown>;

function writeTag(writer: ProtobufWriter, number: number, wireType: number): void {
  writer.varint(number * 8 + wireType);
}

/** A proto3 scalar: absent and zero are the same, zero is not written. */
function plain<Value>(number: number, scalar: Scalar<Value>): Field<Value> {
  return {
    number,
    wireTypes: [scalar.wireType],
    initial: () => scalar.zero,
    write: (writer, value) => {
      if (scalar.isZero(value)) return;
      scalar.write(writer, value);
      writeTag(writer, number, scalar.wireType);
    },
    read: scalar.read,
  };
}

/** A member of a oneof, or any scalar with presence: zero is written when it is there. */
function present<Value>(number: number, scalar: Scalar<Value>): Field<Value | undefined> {
  return {
    number,
    wireTypes: [scalar.wireType],
    initial: () => undefined,
    write: (writer, value) => {
      if (value === undefined) return;
      scalar.write(writer, value);
      writeTag(writer, number, scalar.wireType);
    },
    read: scalar.read,
  };
}

function repeated<Value>(number: number, scalar: Scalar<Value>): Field<Value[]> {
  return {
    number,
    wireTypes: [scalar.wireType],
    initial: () => [],
    write: (writer, values) => {
      for (let index = values.length - 1; index >= 0; index -= 1) {
        scalar.write(writer, values[index] as Value);
        writeTag(writer, number, scalar.wireType);
      }
    },
    read: (reader, soFar) => {
      soFar.push(scalar.read(reader));
      return soFar;
    },
  };
}

/** Repeated numbers: proto3 packs them; a decoder must take both forms. */
function packed<Value>(number: number, scalar: Scalar<Value>): Field<Value[]> {
  return {
    number,
    wireTypes: [wireTypes.bytes, wireTypes.varint],
    initial: () => [],
    write: (writer, values) => {
      if (values.length === 0) return;
      const before = writer.length;
      for (let index = values.length - 1; index >= 0; index -= 1) {
        scalar.write(writer, values[index] as Value);
      }
      writer.varint(writer.length - before);
      writeTag(writer, number, wireTypes.bytes);
    },
    read: (reader, soFar, wireType) => {
      if (wireType === wireTypes.varint) soFar.push(scalar.read(reader));
      else {
        const inner = new ProtobufReader(reader.bytes());
        while (!inner.done) soFar.push(scalar.read(inner));
      }
      return soFar;
    },
  };
}

export const bytes = (number: number) => plain(number, scalars.bytes);
export const text = (number: number) => plain(number, scalars.text);
export const bool = (number: number) => plain(number, scalars.bool);
export const uint32 = (number: number) => plain(number, scalars.uint32);
export const int32 = (number: number) => plain(number, scalars.int32);
export const uint64 = (number: number) => plain(number, scalars.uint64);
export const int64 = (number: number) => plain(number, scalars.int64);
export const optionalBytes = (number: number) => present(number, scalars.bytes);
export const optionalText = (number: number) => present(number, scalars.text);
export const optionalInt32 = (number: number) => present(number, scalars.int32);
export const optionalInt64 = (number: number) => present(number, scalars.int64);
export const repeatedBytes = (number: number) => repeated(number, scalars.bytes);
export const repeatedText = (number: number) => repeated(number, scalars.text);
export const packedUint32 = (number: number) => packed(number, scalars.uint32);

function writeNested<Value>(
  writer: ProtobufWriter,
  number: number,
  message: Message<Value>,
  value: Partial<Value>,
): void {
  const before = writer.length;
  message.write(writer, value);
  writer.varint(writer.length - before);
  writeTag(writer, number, wireTypes.bytes);
}

function readNested<Value>(
  reader: ProtobufReader,
  message: Message<Value>,
  into: Value,
  depth: number,
): Value {
  const outerEnd = reader.enter();
  message.readInto(reader, into, depth + 1);
  reader.leave(outerEnd);
  return into;
}

/** An embedded message; absent and empty are different. A second occurrence merges, as in Go. */
export function nested<Value>(
  number: number,
  message: () => Message<Value>,
): Field<Value | undefined> {
  return {
    number,
    wireTypes: [wireTypes.bytes],
    initial: () => undefined,
    write: (writer, value) => {
      if (value !== undefined) writeNested(writer, number, message(), value);
    },
    read: (reader, soFar, _wireType, depth) =>
      readNested(reader, message(), soFar ?? message().initial(), depth),
  };
}

export function repeatedNested<Value>(
  number: number,
  message: () => Message<Value>,
): Field<Value[]> {
  return {
    number,
    wireTypes: [wireTypes.bytes],
    initial: () => [],
    write: (writer, values) => {
      for (let index = values.length - 1; index >= 0; index -= 1) {
        writeNested(writer, number, message(), values[index] as Value);
      }
    },
    read: (reader, soFar, _wireType, depth) => {
      soFar.push(readNested(reader, message(), message().initial(), depth));
      return soFar;
    },
  };
}

/** map<string, Message>: written in the map's own order, so that what was read is written back. */
export function mapOf<Value>(
  number: number,
  entry: () => Message<{ key: string; value: Value | undefined }>,
  initialValue: () => Value,
): Field<Map<string, Value>> {
  return {
    number,
    wireTypes: [wireTypes.bytes],
    initial: () => new Map(),
    write: (writer, map) => {
      for (const [key, value] of [...map].toReversed()) {
        writeNested(writer, number, entry(), { key, value });
      }
    },
    read: (reader, soFar, _wireType, depth) => {
      const { key, value } = readNested(reader, entry(), entry().initial(), depth);
      soFar.set(key, value ?? initialValue());
      return soFar;
    },
  };
}
