import { equalBytes, limits } from '#base';
import { fault } from './faults.ts';
import type { Field } from './protobuf-fields.ts';
import { ProtobufReader, invalid } from './protobuf-reader.ts';
import { ProtobufWriter } from './protobuf-writer.ts';

/** One protobuf message type: how its values are made into bytes and back. */
export interface Message<Value> {
  readonly name: string;
  /** A value with every field unset. */
  initial(): Value;
  /** Deterministic: fields by number, zero scalars left out, as Go writes them. */
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
type Loose = Field<unknown> & { name: string };

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
    .map(([fieldName, field]) => ({ ...field, name: fieldName }))
    .sort((a, b) => a.number - b.number);
  const byNumber = new Map<number, Loose>(rows.map((row) => [row.number, row]));
  const rowsReversed = rows.toReversed();
  const rivals = new Map<string, readonly string[]>(
    oneofs.flatMap((group) =>
      group.map((one) => [one, group.filter((other) => other !== one)] as const),
    ),
  );

  const initial = (): Value => {
    const value: Record<string, unknown> = {};
    for (const row of rows) value[row.name] = row.initial();
    return value as Value;
  };
  const write = (writer: ProtobufWriter, value: Partial<Value>): void => {
    const loose = value as Record<string, unknown>;
    for (const row of rowsReversed) {
      const fieldValue = loose[row.name];
      if (fieldValue !== undefined) row.write(writer, fieldValue);
    }
  };
  const readInto = (reader: ProtobufReader, into: Value, depth: number): void => {
    if (depth > limits.protobufDepthMax) throw invalid('nested too deeply');
    const loose = into as Record<string, unknown>;
    while (!reader.done) {
      const { field, wireType } = reader.tag();
      const row = byNumber.get(field);
      if (row === undefined || !row.wireTypes.includes(wireType)) {
        reader.skip(field, wireType);
        continue;
      }
      for (const rival of rivals.get(row.name) ?? []) loose[rival] = undefined;
      loose[row.name] = row.read(reader, loose[row.name], wireType, depth);
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
    if (!equalBytes(encode(value), input)) {
      throw fault('FORMATS_PROTOBUF_NOT_CANONICAL', { message: name });
    }
    return value;
  };
  return { name, initial, encode, decode, decodeCanonical, write, readInto };
}
