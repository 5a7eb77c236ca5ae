import { equalBytes, limits } from '#base';
import { fault } from './faults.ts';
import type { Field } from './protobuf-fields.ts';
import { ProtobufReader, invalid } from './protobuf-reader.ts';
import { isSurelyCanonical } from './protobuf-walk.ts';
import { ProtobufWriter } from './protobuf-writer.ts';

/** One protobuf message type: how its values are made into bytes and back. */
export interface Message<Value> {
  readonly name: string;
  /** By name, for whoever shows a message without knowing it. */
  readonly fields: Readonly<Record<string, Field<unknown>>>;
  /** Names of fields of which at most one may be set. */
  readonly oneofs: readonly (readonly string[])[];
  /** A value with every field unset. */
  initial(): Value;
  /**
   * Deterministic: fields by number, zero scalars left out, as Go writes them.
   *
   * @returns a view into memory shared with other results, as small Buffers are.
   */
  encode(value: Partial<Value>): Uint8Array;
  /**
   * Reads as Go does: unknown fields are skipped, the last scalar wins. Byte fields are views.
   *
   * @throws FORMATS_PROTOBUF_INVALID
   */
  decode(bytes: Uint8Array): Value;
  /**
   * Reads, and demands that encoding gives the same bytes back: no unknown field, no other order.
   *
   * @throws FORMATS_PROTOBUF_INVALID, FORMATS_PROTOBUF_NOT_CANONICAL
   */
  decodeCanonical(bytes: Uint8Array): Value;
  write(writer: ProtobufWriter, value: Partial<Value>): void;
  readInto(reader: ProtobufReader, into: Value, depth: number): void;
}

export type MessageOf<Type> = Type extends Message<infer Value> ? Value : never;

type ValueOf<Fields> = {
  -readonly [Name in keyof Fields]: Fields[Name] extends Field<infer Value> ? Value : never;
};

type AnyFields = Readonly<Record<string, Field<unknown>>>;

interface Row {
  name: string;
  field: Field<unknown>;
  /** Other members of the row's oneof: reading one clears them. */
  rivals: readonly string[];
}

// Encoding never yields in the middle, so one writer serves all calls.
const sharedWriter = new ProtobufWriter();

/**
 * Declares a message type.
 *
 * @param fields by name; the numbers are those of the .proto file named where this is called.
 * @param oneofs names of fields of which at most one may be set: reading one clears the others.
 */
export function message<Fields extends AnyFields>(
  name: string,
  fields: Fields,
  oneofs: readonly (readonly (keyof Fields & string)[])[] = [],
): Message<ValueOf<Fields>> {
  type Value = ValueOf<Fields>;
  const rows = Object.entries(fields)
    .map(([rowName, field]): Row => ({ name: rowName, field, rivals: rivalsOf(rowName, oneofs) }))
    .sort((a, b) => a.field.number - b.field.number);
  const rowsReversed = rows.toReversed();
  const rowsByTag: (Row | undefined)[] = [];
  for (const row of rows) {
    for (const wireType of row.field.wireTypes) rowsByTag[row.field.number * 8 + wireType] = row;
  }
  const template = Object.fromEntries(rows.map((row) => [row.name, row.field.initial()]));
  const ownRows = rows.filter((row) => !row.field.shared);

  const initial = (): Value => {
    // Measured: twice as fast as a spread of types as many as these, let alone a loop.
    const value: Record<string, unknown> = Object.assign({}, template);
    for (const row of ownRows) value[row.name] = row.field.initial();
    return value as Value;
  };
  const write = (writer: ProtobufWriter, value: Partial<Value>): void => {
    const loose = value as Record<string, unknown>;
    for (const row of rowsReversed) {
      const fieldValue = loose[row.name];
      if (fieldValue !== undefined) row.field.write(writer, fieldValue);
    }
  };
  const readInto = (reader: ProtobufReader, into: Value, depth: number): void => {
    if (depth > limits.protobufDepthMax) throw invalid('nested too deeply');
    const loose = into as Record<string, unknown>;
    while (!reader.done) {
      const tag = reader.tag();
      const row = rowsByTag[tag];
      if (row === undefined) {
        reader.skip(tag);
        continue;
      }
      if (row.rivals.length > 0) for (const rival of row.rivals) loose[rival] = undefined;
      loose[row.name] = row.field.read(reader, loose[row.name], tag % 8, depth);
    }
  };
  const encode = (value: Partial<Value>): Uint8Array => {
    sharedWriter.reset();
    write(sharedWriter, value);
    return sharedWriter.finish();
  };
  const decode = (input: Uint8Array): Value => {
    const value = initial();
    readInto(new ProtobufReader(input), value, 0);
    return value;
  };
  const decodeCanonical = (input: Uint8Array): Value => {
    const value = decode(input);
    if (!isSurelyCanonical(type, input) && !equalBytes(encode(value), input)) {
      throw fault('FORMATS_PROTOBUF_NOT_CANONICAL', { message: name });
    }
    return value;
  };
  const type = { name, fields, oneofs, initial, encode, decode, decodeCanonical, write, readInto };
  return type;
}

function rivalsOf(name: string, oneofs: readonly (readonly string[])[]): readonly string[] {
  return oneofs.find((group) => group.includes(name))?.filter((other) => other !== name) ?? [];
}
