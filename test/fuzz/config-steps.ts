import { Fault, equalBytes, utf8 } from '#base';
import { sha256 } from '#crypto';
import {
  BatchSize,
  Capabilities,
  ConfigUpdate,
  Envelope,
  ImplicitMetaPolicy,
  buildConfigPayload,
  implicitMetaRules,
  policyTypes,
} from '#formats';
import type { ConfigGroup, ConfigPolicy, ConfigValue } from '#formats';
import { acceptConfigUpdate } from '#policy';
import type { ChannelConfig } from '#policy';
import type { Below } from '../interop/mutations.ts';
import { editMsp, groupAt, signaturePolicy } from '../policy/test-channel.ts';
import {
  editedGroup,
  signedEnvelope,
  signedUpdate,
  updateBetween,
} from '../support/config-update.ts';
import { Chance } from './chance.ts';
import { serializedOf } from './people.ts';
import type { People } from './people.ts';
import type { ConfigRecipe } from './recipe.ts';

type Step = (channel: ConfigGroup, people: People, below: Below) => void;

/** What administrators do to a channel while it is used. */
export const configSteps: Readonly<Record<string, Step>> = {
  'size of blocks': (channel, _people, below) => {
    const value = valueAt(channel, 'Orderer', 'BatchSize');
    const maxMessageCount = 10 + below(500);
    value.value = BatchSize.encode({ ...BatchSize.decode(value.value), maxMessageCount });
  },
  'revocation list': (channel, people, below) => {
    const { name } = people.orgs[below(3)]!;
    const lists = people.revocationListsOf(name);
    editMsp(groupAt(channel, `Application/${name}`), (msp) => {
      const [now] = msp.revocationList;
      msp.revocationList = lists.filter((list) => !equalBytes(list, now!));
    });
  },
  'endorsement by default': (channel, _people, below) => {
    setRule(policyAt(channel, 'Application', 'Endorsement'), below(3));
  },
  'endorsement of definitions': (channel, _people, below) => {
    const { any, majority } = implicitMetaRules;
    setRule(policyAt(channel, 'Application', 'LifecycleEndorsement'), [any, majority][below(2)]!);
  },
  "an organisation's endorsement": (channel, _people, below) => {
    const role = ['peer', 'member', 'admin', 'client'][below(4)]!;
    const policy = policyAt(channel, 'Application/Org2', 'Endorsement');
    policy.policy = signaturePolicy(`OR('Org2MSP.${role}')`);
  },
  "an organisation's peers": (channel) => {
    editMsp(groupAt(channel, 'Application/Org3'), (msp) => {
      const unit = msp.fabricNodeOus!.peerOuIdentifier!;
      const isPeer = unit.organizationalUnitIdentifier === 'peer';
      unit.organizationalUnitIdentifier = isPeer ? 'department' : 'peer';
    });
  },
  'an organisation comes or goes': (channel, people) => {
    const { groups } = groupAt(channel, 'Application');
    if (!groups.delete('Org4')) groups.set('Org4', people.fourthGroup);
  },
  'capabilities of the application': (channel, _people, below) => {
    const names = ['V2_0', 'V2_5'].slice(below(2));
    valueAt(channel, 'Application', 'Capabilities').value = Capabilities.encode({
      capabilities: new Map(names.map((name) => [name, {}])),
    });
  },
};

const at = new Date('2026-06-01T00:00:00Z');

/** The CONFIG envelope that the step makes; undefined when there is nothing to be changed. */
export function configEnvelopeOf(
  { step, seed }: ConfigRecipe,
  current: ChannelConfig,
  people: People,
): Uint8Array | undefined {
  const { channelId, config } = current;
  const after = editedGroup(config, (channel) =>
    configSteps[step]!(channel, people, new Chance(seed).below),
  );
  const signers = ['zone', 'org1', 'org2', 'org3', 'org4'].map((org) => {
    const admin = people.get(`${org}.admin`);
    return { serialized: serializedOf(admin), sign: (data: Uint8Array) => admin.sign(data) };
  });
  const update = signedUpdate(
    ConfigUpdate.encode(updateBetween(channelId, config, after)),
    signers,
  );
  const orderer = people.get('zone.orderer');
  const creator = serializedOf(orderer);
  const sent = signedEnvelope(update, { channelId, sender: signers[0]! });
  const envelope = accepted(current, sent, creator);
  if (envelope === undefined) return undefined;
  const nonce = sha256(utf8(`configuration ${config.sequence}`)).subarray(0, 24);
  const timeMs = at.getTime();
  const payload = buildConfigPayload({ channel: channelId, creator, nonce, timeMs, envelope });
  return Envelope.encode({ payload, signature: orderer.sign(payload) });
}

function accepted(current: ChannelConfig, update: Uint8Array, orderer: Uint8Array) {
  try {
    return acceptConfigUpdate(current, update, { orderer, at }).envelope;
  } catch (error) {
    if (error instanceof Fault && error.code === 'POLICY_UPDATE_EMPTY') return undefined;
    throw error;
  }
}

function valueAt(channel: ConfigGroup, path: string, name: string): ConfigValue {
  return groupAt(channel, path).values.get(name)!;
}

function policyAt(channel: ConfigGroup, path: string, name: string): ConfigPolicy {
  return groupAt(channel, path).policies.get(name)!;
}

function setRule(policy: ConfigPolicy, rule: number): void {
  const { subPolicy } = ImplicitMetaPolicy.decode(policy.policy!.value);
  const value = ImplicitMetaPolicy.encode({ subPolicy, rule });
  policy.policy = { type: policyTypes.implicitMeta, value };
}
