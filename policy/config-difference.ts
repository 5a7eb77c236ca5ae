import { equalBytes } from '#base';
import { Config, ConfigGroup, ConfigPolicy, ConfigValue } from '#formats';
import type { ConfigUpdate } from '#formats';

/**
 * What takes a configuration to another one: the elements that differ, each in its next version.
 *
 * @param after whose versions are not looked at.
 * @see Fabric internal/configtxlator/update/update.go.
 */
export function updateBetween(channelId: string, before: Config, after: ConfigGroup): ConfigUpdate {
  const { readSet, writeSet } = differenceOf(before.channelGroup ?? ConfigGroup.initial(), after);
  return { channelId, readSet, writeSet };
}

/** The channel's group after an edit; the configuration itself stays as it is. */
export function editedGroup(config: Config, edit: (channel: ConfigGroup) => void): ConfigGroup {
  const copy = Config.decode(Config.encode(config)).channelGroup ?? ConfigGroup.initial();
  edit(copy);
  return copy;
}

interface Difference {
  readSet: ConfigGroup;
  writeSet: ConfigGroup;
  changed: boolean;
}

/**
 * Where members come or go, the group is what changes, and names all that stay; else only the
 * members that change are named.
 */
function differenceOf(before: ConfigGroup, after: ConfigGroup): Difference {
  const { version, modPolicy } = before;
  const readSet = { ...ConfigGroup.initial(), version };
  const writeSet = { ...ConfigGroup.initial(), version };
  const grows =
    modPolicy !== after.modPolicy ||
    !sameKeys(before.groups, after.groups) ||
    !sameKeys(before.values, after.values) ||
    !sameKeys(before.policies, after.policies);
  const sides = { readSet, writeSet, grows };
  const values = addItems(
    before.values,
    after.values,
    (item) => ConfigValue.encode(item),
    sides,
    'values',
  );
  const policies = addItems(
    before.policies,
    after.policies,
    (item) => ConfigPolicy.encode(item),
    sides,
    'policies',
  );
  const groups = addGroups(before, after, sides);
  if (grows) Object.assign(writeSet, { version: version + 1n, modPolicy: after.modPolicy });
  return { readSet, writeSet, changed: grows || values || policies || groups };
}

interface Sides {
  readSet: ConfigGroup;
  writeSet: ConfigGroup;
  grows: boolean;
}

function addItems<Item extends ConfigValue | ConfigPolicy>(
  before: Map<string, Item>,
  after: Map<string, Item>,
  encode: (item: Item) => Uint8Array,
  { readSet, writeSet, grows }: Sides,
  kind: 'values' | 'policies',
): boolean {
  let changed = false;
  const write = (name: string, item: Item) =>
    (writeSet[kind] as Map<string, unknown>).set(name, item);
  for (const [name, item] of after) {
    const known = before.get(name);
    const same = known !== undefined && equalBytes(encode(known), encode(item));
    if (known === undefined) write(name, { ...item, version: 0n });
    else if (!same) write(name, { ...item, version: known.version + 1n });
    else if (grows) {
      write(name, item);
      (readSet[kind] as Map<string, unknown>).set(name, item);
    }
    changed ||= !same;
  }
  return changed;
}

function addGroups(before: ConfigGroup, after: ConfigGroup, sides: Sides): boolean {
  let changed = false;
  for (const [name, inner] of after.groups) {
    const known = before.groups.get(name);
    if (known === undefined) {
      sides.writeSet.groups.set(name, inner);
      continue;
    }
    const difference = differenceOf(known, inner);
    changed ||= difference.changed;
    if (!difference.changed && !sides.grows) continue;
    sides.readSet.groups.set(name, difference.readSet);
    sides.writeSet.groups.set(name, difference.writeSet);
  }
  return changed;
}

function sameKeys(a: ReadonlyMap<string, unknown>, b: ReadonlyMap<string, unknown>): boolean {
  return a.size === b.size && [...a.keys()].every((key) => b.has(key));
}
