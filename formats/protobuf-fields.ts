import type { Message } from './protobuf.ts';
import { ProtobufReader, wireTypes } from './protobuf-reader.ts';
import type { ProtobufWriter } from './protobuf-writer.ts';
import { scalars } from './protobuf-scalars.ts';
import type { Scalar, ScalarKind } from './protobuf-scalars.ts';

/** How one field of a message is written and read; made by the functions below. */
export interface Field<Value> {
  readonly number: number;
  readonly kind: ScalarKind | 'message' | 'map';
  readonly repeated: boolean;
  /** The type of the field's messages, or of a map's entries. */
  readonly message?: () => Message<unknown>;
  /** Wire types a decoder takes for this field; any other is an unknown field, as in Go. */
  readonly wireTypes: readonly number[];
  /** Whether all messages can have the same unset value; lists and maps need their own. */
  readonly shared: boolean;
  initial(): Value;
  write(writer: ProtobufWriter, value: Value): void;
  /** @param soFar the value read before, for merging and appending. */
  read(reader: ProtobufReader, soFar: Value, wireType: number, depth: number): Value;
}

/** A proto3 scalar: absent and zero are the same, zero is not written. */
function plain<Value>(number: number, scalar: Scalar<Value>): Field<Value> {
  const { isZero, write, zero } = scalar;
  const tag = number * 8 + scalar.wireType;
  return {
    number,
    kind: scalar.kind,
    repeated: false,
    wireTypes: [scalar.wireType],
    shared: true,
    initial: () => zero,
    write: (writer, value) => {
      if (isZero(value)) return;
      write(writer, value);
      writer.varint(tag);
    },
    read: scalar.read,
  };
}

/** A member of a oneof, or any scalar with presence: zero is written when it is there. */
function present<Value>(number: number, scalar: Scalar<Value>): Field<Value | undefined> {
  const tag = number * 8 + scalar.wireType;
  return {
    number,
    kind: scalar.kind,
    repeated: false,
    wireTypes: [scalar.wireType],
    shared: true,
    initial: () => undefined,
    write: (writer, value) => {
      if (value === undefined) return;
      scalar.write(writer, value);
      writer.varint(tag);
    },
    read: scalar.read,
  };
}

function repeated<Value>(number: number, scalar: Scalar<Value>): Field<Value[]> {
  const tag = number * 8 + scalar.wireType;
  return {
    number,
    kind: scalar.kind,
    repeated: true,
    wireTypes: [scalar.wireType],
    shared: false,
    initial: () => [],
    write: (writer, values) => {
      for (let index = values.length - 1; index >= 0; index -= 1) {
        scalar.write(writer, values[index]!);
        writer.varint(tag);
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
    kind: scalar.kind,
    repeated: true,
    wireTypes: [wireTypes.bytes, wireTypes.varint],
    shared: false,
    initial: () => [],
    write: (writer, values) => {
      if (values.length === 0) return;
      const before = writer.length;
      for (let index = values.length - 1; index >= 0; index -= 1) {
        scalar.write(writer, values[index]!);
      }
      writer.varint(writer.length - before);
      writer.varint(number * 8 + wireTypes.bytes);
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
export const optionalBool = (number: number) => present(number, scalars.bool);
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
  writer.varint(number * 8 + wireTypes.bytes);
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
    kind: 'message',
    repeated: false,
    message,
    wireTypes: [wireTypes.bytes],
    shared: true,
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
    kind: 'message',
    repeated: true,
    message,
    wireTypes: [wireTypes.bytes],
    shared: false,
    initial: () => [],
    write: (writer, values) => {
      for (let index = values.length - 1; index >= 0; index -= 1) {
        writeNested(writer, number, message(), values[index]!);
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
    kind: 'map',
    repeated: true,
    message: entry,
    wireTypes: [wireTypes.bytes],
    shared: false,
    initial: () => new Map(),
    write: (writer, map) => {
      for (const [key, value] of [...map].toReversed()) {
        const before = writer.length;
        entry().write(writer, { value });
        // Go writes the key of an entry even when it is empty.
        scalars.text.write(writer, key);
        writer.varint(8 + wireTypes.bytes);
        writer.varint(writer.length - before);
        writer.varint(number * 8 + wireTypes.bytes);
      }
    },
    read: (reader, soFar, _wireType, depth) => {
      const { key, value } = readNested(reader, entry(), entry().initial(), depth);
      soFar.set(key, value ?? initialValue());
      return soFar;
    },
  };
}
