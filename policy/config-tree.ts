import { equalBytes } from '#base';
import { ConfigGroup, ConfigPolicy, ConfigValue } from '#formats';
import { fault } from './faults.ts';

/** A group, value or policy of a configuration with its place in the tree. */
export type ConfigElement = Place &
  (
    | { readonly kind: 'group'; readonly item: ConfigGroup }
    | { readonly kind: 'value'; readonly item: ConfigValue }
    | { readonly kind: 'policy'; readonly item: ConfigPolicy }
  );

interface Place {
  /**
   * The groups below the channel's that lead to the one it is or stands in: where its modification
   * policy is looked up.
   */
  readonly home: readonly string[];
}

/** Elements by kind and path, for example `value /Channel/Orderer/BatchSize`. */
export type ConfigTree = ReadonlyMap<string, ConfigElement>;

const rootPath = '/Channel';
const nameLengthMax = 249;
const ordererCapabilities = `value ${rootPath}/Orderer/Capabilities`;
const defaultModPolicy = 'Admins';

/**
 * Lays a configuration out flat.
 *
 * @param root undefined: nothing.
 * @throws POLICY_UPDATE_NAME_INVALID
 * @see Fabric common/configtx/configmap.go, mapConfig.
 */
export function treeOf(root: ConfigGroup | undefined): ConfigTree {
  const tree = new Map<string, ConfigElement>();
  if (root !== undefined) addGroup(tree, [], root);
  return tree;
}

/**
 * Builds the configuration that the groups of a tree name, from the root down, in the order of
 * names. What stands in the tree without being named by its group is left out, as in Fabric.
 *
 * @param tree a configuration with a delta laid over it: all that is named is there.
 * @see Fabric common/configtx/configmap.go, configMapToConfig.
 */
export function groupOf(tree: ConfigTree): ConfigGroup {
  // Channels of 1.0 could lack modification policies; Fabric mends that once capabilities are on.
  const mends = tree.has(ordererCapabilities);
  return buildGroup(tree, [], mends);
}

/** Whether two trees say the same, in whatever order. */
export function isSameTree(a: ConfigTree, b: ConfigTree): boolean {
  if (a.size !== b.size) return false;
  return [...a].every(([key, one]) => {
    const other = b.get(key);
    return other !== undefined && equalBytes(contentOf(one), contentOf(other));
  });
}

/** What an element says by itself: the elements of a group are in the tree beside it. */
function contentOf({ kind, item }: ConfigElement): Uint8Array {
  if (kind === 'value') return ConfigValue.encode(item);
  if (kind === 'policy') return ConfigPolicy.encode(item);
  return ConfigGroup.encode({ version: item.version, modPolicy: item.modPolicy });
}

/** @see Fabric common/configtx/validator.go, validateConfigID. */
export function isElementName(name: string): boolean {
  const legal = /^[a-zA-Z0-9.-]+$/.test(name) && name !== '.' && name !== '..';
  return legal && name.length <= nameLengthMax;
}

function addGroup(
  tree: Map<string, ConfigElement>,
  home: readonly string[],
  group: ConfigGroup,
): void {
  tree.set(keyOf('group', home), { kind: 'group', home, item: group });
  for (const [name, inner] of group.groups) {
    addGroup(tree, [...home, checkedName(home, name)], inner);
  }
  for (const [name, item] of group.values) {
    tree.set(keyOf('value', home, checkedName(home, name)), { kind: 'value', home, item });
  }
  for (const [name, item] of group.policies) {
    tree.set(keyOf('policy', home, checkedName(home, name)), { kind: 'policy', home, item });
  }
}

function buildGroup(tree: ConfigTree, home: readonly string[], mends: boolean): ConfigGroup {
  const { item: group } = elementAt(tree, 'group', home);
  const mended = <Item extends { modPolicy: string }>(item: Item): Item =>
    mends && item.modPolicy === '' ? { ...item, modPolicy: defaultModPolicy } : item;
  return mended({
    version: group.version,
    groups: named(group.groups, (name) => buildGroup(tree, [...home, name], mends)),
    values: named(group.values, (name) => mended(elementAt(tree, 'value', home, name).item)),
    policies: named(group.policies, (name) => mended(elementAt(tree, 'policy', home, name).item)),
    modPolicy: group.modPolicy,
  });
}

function named<Item>(
  names: ReadonlyMap<string, unknown>,
  build: (name: string) => Item,
): Map<string, Item> {
  return new Map([...names.keys()].toSorted().map((name) => [name, build(name)]));
}

function elementAt<Kind extends ConfigElement['kind']>(
  tree: ConfigTree,
  kind: Kind,
  home: readonly string[],
  name?: string,
): Extract<ConfigElement, { kind: Kind }> {
  const key = keyOf(kind, home, name);
  const found = tree.get(key);
  if (found === undefined) throw new TypeError(`no element ${key}`);
  return found as Extract<ConfigElement, { kind: Kind }>;
}

function keyOf(kind: ConfigElement['kind'], home: readonly string[], name?: string): string {
  const path = [rootPath, ...home];
  if (name !== undefined) path.push(name);
  return `${kind} ${path.join('/')}`;
}

function checkedName(home: readonly string[], name: string): string {
  if (isElementName(name)) return name;
  const within = [rootPath, ...home].join('/');
  throw fault('POLICY_UPDATE_NAME_INVALID', { within, name: name.slice(0, nameLengthMax) });
}
