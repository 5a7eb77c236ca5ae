import { limits } from '#base';
import type { Message } from './protobuf.ts';
import type { Field } from './protobuf-fields.ts';
import { ProtobufReader, invalid, wireTypes } from './protobuf-reader.ts';

/**
 * Whether a message, or one inside it, has a field that its type does not declare, or one in another
 * wire type. Go keeps such fields, and its versions do not agree what the latter mean.
 *
 * @param bytes that the type decodes.
 * @throws FORMATS_PROTOBUF_INVALID
 */
export function hasUnknownFields(
  type: Pick<Message<unknown>, 'fields'>,
  bytes: Uint8Array,
): boolean {
  return hasUnknown(type, bytes, 0);
}

function hasUnknown(
  { fields }: Pick<Message<unknown>, 'fields'>,
  bytes: Uint8Array,
  depth: number,
): boolean {
  if (depth > limits.protobufDepthMax) throw invalid('nested too deeply');
  const byNumber = new Map<number, Field<unknown>>(
    Object.values(fields).map((field) => [field.number, field]),
  );
  const reader = new ProtobufReader(bytes);
  while (!reader.done) {
    const tag = reader.tag();
    const field = byNumber.get(Math.floor(tag / 8));
    if (field === undefined || !field.wireTypes.includes(tag % 8)) return true;
    if (field.message === undefined || tag % 8 !== wireTypes.bytes) reader.skip(tag);
    else if (hasUnknown(field.message(), reader.bytes(), depth + 1)) return true;
  }
  return false;
}
