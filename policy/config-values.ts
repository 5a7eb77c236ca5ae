import type { ConfigGroup, Message } from '#formats';
import { fault } from './faults.ts';

type MessageTable = Readonly<Record<string, Message<unknown>>>;
type ValuesOf<Table> = {
  [Key in keyof Table]: Table[Key] extends Message<infer Value> ? Value : never;
};

/**
 * Reads the values of a configuration group.
 *
 * @param table the keys a group of this kind may have; an absent one reads as an empty message.
 * @throws POLICY_CONFIG_INVALID another key; FORMATS_PROTOBUF_INVALID.
 * @see Fabric common/channelconfig/standardvalues.go.
 */
export function readValues<Table extends MessageTable>(
  group: ConfigGroup,
  path: string,
  table: Table,
): ValuesOf<Table> {
  for (const key of group.values.keys()) {
    if (Object.hasOwn(table, key)) continue;
    throw fault('POLICY_CONFIG_INVALID', { reason: 'unexpected value', path: `${path}/${key}` });
  }
  const read = Object.entries(table).map(([key, message]) => {
    const value = group.values.get(key);
    return [key, value === undefined ? message.initial() : message.decode(value.value)] as const;
  });
  return Object.fromEntries(read) as ValuesOf<Table>;
}
