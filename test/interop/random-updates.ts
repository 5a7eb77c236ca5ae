import { utf8 } from '#base';
import { ConfigGroup } from '#formats';
import type { Config, ConfigPolicy, ConfigUpdate, ConfigValue } from '#formats';
import { seededRandom } from '../crypto/fuzzing.ts';
import { badResults } from '../policy/bad-results.ts';
import { badUpdates } from '../policy/bad-updates.ts';
import { goodUpdates } from '../policy/good-updates.ts';
import { adminOf, everyAdmin, org1, signerOf, updateEnvelope } from '../policy/update-setting.ts';
import type { UpdateParts } from '../policy/update-setting.ts';
import { mutated } from './mutations.ts';
import type { Below } from './mutations.ts';

type Edit = (channel: ConfigGroup) => void;

/** Updates of whatever configuration is there, each changed at random; the same seed, the same ones. */
export class RandomUpdates {
  readonly #below: Below;

  constructor(seed: number) {
    const random = seededRandom(seed);
    this.#below = (bound) => Math.floor(random() * bound);
  }

  /** common.Envelope of type CONFIG_UPDATE. */
  next(config: Config): Uint8Array {
    const below = this.#below;
    const edits = Array.from({ length: 1 + below(3) }, () => this.#edit());
    const parts: UpdateParts = {
      edit: (channel) => {
        for (const edit of edits) tryEdit(edit, channel);
      },
      ...(below(5) === 0 && { update: (update: ConfigUpdate) => this.#wound(update) }),
      ...(below(6) === 0 && { signers: everyAdmin.filter(() => below(3) > 0) }),
      ...(below(12) === 0 && { updateBytes: (bytes: Uint8Array) => mutated(bytes, below) }),
      ...(below(25) === 0 && { data: (bytes: Uint8Array) => mutated(bytes, below) }),
      ...(below(25) === 0 && { envelope: (bytes: Uint8Array) => mutated(bytes, below) }),
      outside: { sender: below(20) === 0 ? signerOf(org1, org1.peer) : adminOf(org1) },
    };
    return updateEnvelope(config, parts);
  }

  /** One change of the tree: of a table, or to an element that is picked at random. */
  #edit(): Edit {
    const below = this.#below;
    const kind = below(10);
    if (kind < 3) return goodUpdates[below(goodUpdates.length)]![1].edit ?? (() => undefined);
    if (kind === 3) return pick(badResults, below).parts.edit ?? (() => undefined);
    if (kind === 4) return pick(badUpdates, below).parts.edit ?? (() => undefined);
    return (channel) => this.#editSomething(channel);
  }

  #editSomething(channel: ConfigGroup): void {
    const below = this.#below;
    const group = this.#someGroup(channel);
    const members = [group.values, group.policies, group.groups][below(3)] as Map<
      string,
      ConfigValue | ConfigPolicy | ConfigGroup
    >;
    const [name, item] = [...members][below(Math.max(members.size, 1))] ?? [];
    if (name === undefined || item === undefined) return void (group.modPolicy = this.#modPolicy());
    switch (below(6)) {
      case 0:
        return void members.delete(name);
      case 1:
        return void members.set(newNames[below(newNames.length)]!, item);
      case 2:
        return void (item.modPolicy = this.#modPolicy());
      case 3:
        return void (group.modPolicy = this.#modPolicy());
      default:
        if ('value' in item) item.value = mutated(item.value, below);
        else if ('policy' in item && item.policy !== undefined) {
          const { type, value } = item.policy;
          item.policy =
            below(6) === 0 ? { type: below(5), value } : { type, value: mutated(value, below) };
        } else item.modPolicy = this.#modPolicy();
    }
  }

  #someGroup(channel: ConfigGroup): ConfigGroup {
    let group = channel;
    while (group.groups.size > 0 && this.#below(4) > 0) {
      group = [...group.groups.values()][this.#below(group.groups.size)]!;
    }
    return group;
  }

  #modPolicy(): string {
    return modPolicies[this.#below(modPolicies.length)]!;
  }

  /** Another version, or something read or written that has no business there. */
  #wound({ readSet, writeSet }: ConfigUpdate): void {
    const below = this.#below;
    const set = below(2) === 0 ? readSet : writeSet;
    if (set === undefined) return;
    const group = this.#someGroup(set);
    const items = [...group.values.values(), ...group.policies.values(), group];
    const item = items[below(items.length)]!;
    if (below(4) > 0) item.version = BigInt.asUintN(64, item.version + BigInt(below(5) - 2));
    else group.values.set(newNames[below(newNames.length)]!, newItem);
  }
}

const newItem: ConfigValue = { version: 0n, value: utf8('new'), modPolicy: 'Admins' };
const newNames = [
  'Org9',
  'Endpoints',
  'ACLs',
  'AnchorPeers',
  'Admins',
  'BatchSize',
  'x.y-z',
  'a b',
];
const modPolicies = [
  'Admins',
  'Org1/Admins',
  'Orderer/Zone/Admins',
  '/Channel/Admins',
  '/Channel/Application/Org1/Admins',
  '/Channel/Nobody',
  '/ChannelxAdmins',
  '/Other/Admins',
  'Writers',
  'Readers',
  'a//b',
  '',
];

/** Edits of the tables are for a new channel: on another one they may find nothing to change. */
function tryEdit(edit: Edit, channel: ConfigGroup): void {
  const copy = ConfigGroup.decode(ConfigGroup.encode(channel));
  try {
    edit(copy);
  } catch {
    return;
  }
  Object.assign(channel, copy);
}

function pick<Item>(items: readonly Item[], below: Below): Item {
  return items[below(items.length)]!;
}
