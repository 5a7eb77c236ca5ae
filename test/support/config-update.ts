import { concatBytes, equalBytes, utf8 } from '#base';
import {
  ChannelHeader,
  Config,
  ConfigGroup,
  ConfigPolicy,
  ConfigUpdateEnvelope,
  ConfigValue,
  Envelope,
  Payload,
  SignatureHeader,
  headerTypes,
} from '#formats';
import type { ConfigUpdate } from '#formats';

/** Somebody who signs, as a member of a provider. */
export interface UpdateSigner {
  /** msp.SerializedIdentity bytes. */
  readonly serialized: Uint8Array;
  /** DER with low s. */
  sign(data: Uint8Array): Uint8Array;
}

/** The channel's group after an edit; the configuration itself stays as it is. */
export function editedGroup(config: Config, edit: (channel: ConfigGroup) => void): ConfigGroup {
  const copy = Config.decode(Config.encode(config)).channelGroup!;
  edit(copy);
  return copy;
}

/** What takes a configuration to another one: the elements that differ, each in its next version. */
export function updateBetween(channelId: string, before: Config, after: ConfigGroup): ConfigUpdate {
  const { readSet, writeSet } = differenceOf(before.channelGroup!, after);
  return { channelId, readSet, writeSet };
}

export interface EnvelopeParts {
  /** In the channel header. */
  channelId: string;
  type?: number;
  sender: UpdateSigner;
  timeSeconds?: bigint;
}

/** common.ConfigUpdateEnvelope bytes: the update with signatures that each stand for itself. */
export function signedUpdate(update: Uint8Array, signers: readonly UpdateSigner[]): Uint8Array {
  const signatures = signers.map((signer, index) => {
    const nonce = utf8(`nonce of signature ${index}`);
    const signatureHeader = SignatureHeader.encode({ creator: signer.serialized, nonce });
    return { signatureHeader, signature: signer.sign(concatBytes(signatureHeader, update)) };
  });
  return ConfigUpdateEnvelope.encode({ configUpdate: update, signatures });
}

/** common.Envelope bytes around the data, signed by its sender. */
export function signedEnvelope(data: Uint8Array, parts: EnvelopeParts): Uint8Array {
  const { channelId, sender, type = headerTypes.configUpdate, timeSeconds = 0n } = parts;
  const payload = Payload.encode({
    header: {
      channelHeader: ChannelHeader.encode({
        type,
        channelId,
        timestamp: { seconds: timeSeconds, nanos: 0 },
      }),
      signatureHeader: SignatureHeader.encode({
        creator: sender.serialized,
        nonce: utf8('nonce of the sender'),
      }),
    },
    data,
  });
  return Envelope.encode({ payload, signature: sender.sign(payload) });
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

/** The configuration in one form, whatever the order of its maps. */
export function sortedConfig({ sequence, channelGroup }: Config): Uint8Array {
  return Config.encode({ sequence, channelGroup: channelGroup && sortedGroup(channelGroup) });
}

function sortedGroup(group: ConfigGroup): ConfigGroup {
  const sorted = <Item>(items: Map<string, Item>, to = (item: Item) => item) =>
    new Map(
      [...items].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([name, item]) => [name, to(item)]),
    );
  return {
    ...group,
    groups: sorted(group.groups, sortedGroup),
    values: sorted(group.values),
    policies: sorted(group.policies),
  };
}
