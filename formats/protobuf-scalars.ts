import { emptyBytes } from '#base';
import { wireTypes } from './protobuf-reader.ts';
import type { ProtobufReader } from './protobuf-reader.ts';
import type { ProtobufWriter } from './protobuf-writer.ts';

export type ScalarKind = 'bytes' | 'text' | 'bool' | 'uint32' | 'int32' | 'uint64' | 'int64';

/** One of protobuf's scalar types: its zero, and how it goes to the wire and back. */
export interface Scalar<Value> {
  kind: ScalarKind;
  wireType: number;
  zero: Value;
  isZero: (value: Value) => boolean;
  write: (writer: ProtobufWriter, value: Value) => void;
  read: (reader: ProtobufReader) => Value;
}

const bytes: Scalar<Uint8Array> = {
  kind: 'bytes',
  wireType: wireTypes.bytes,
  zero: emptyBytes,
  isZero: (value) => value.length === 0,
  write: (writer, value) => {
    writer.bytes(value);
    writer.varint(value.length);
  },
  read: (reader) => reader.bytes(),
};

const text: Scalar<string> = {
  kind: 'text',
  wireType: wireTypes.bytes,
  zero: '',
  isZero: (value) => value === '',
  write: (writer, value) => {
    const before = writer.length;
    writer.text(value);
    writer.varint(writer.length - before);
  },
  read: (reader) => reader.text(),
};

const bool: Scalar<boolean> = {
  kind: 'bool',
  wireType: wireTypes.varint,
  zero: false,
  isZero: (value) => !value,
  write: (writer, value) => writer.varint(value ? 1 : 0),
  read: (reader) => reader.varint64() !== 0n,
};

const uint32: Scalar<number> = {
  kind: 'uint32',
  wireType: wireTypes.varint,
  zero: 0,
  isZero: (value) => value === 0,
  write: (writer, value) => writer.varint(value),
  read: (reader) => reader.varint32(),
};

const int32: Scalar<number> = {
  ...uint32,
  kind: 'int32',
  write: (writer, value) => (value < 0 ? writer.varint64(BigInt(value)) : writer.varint(value)),
  read: (reader) => reader.varint32() | 0,
};

const uint64: Scalar<bigint> = {
  kind: 'uint64',
  wireType: wireTypes.varint,
  zero: 0n,
  isZero: (value) => value === 0n,
  write: (writer, value) => writer.varint64(value),
  read: (reader) => reader.varint64(),
};

const int64: Scalar<bigint> = {
  ...uint64,
  kind: 'int64',
  read: (reader) => BigInt.asIntN(64, reader.varint64()),
};

export const scalars = { bytes, text, bool, uint32, int32, uint64, int64 };
