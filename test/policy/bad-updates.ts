import { emptyBytes } from '#base';
import { ConfigUpdate } from '#formats';
import type { ConfigGroup } from '#formats';
import { updateBetween } from '../support/config-update.ts';
import { newValue, setBatchSize, valueOf } from './good-updates.ts';
import { channelId, groupAt } from './test-channel.ts';
import {
  adminOf,
  configAfter,
  groupOfNewcomer,
  org1,
  org2,
  org3,
  org4,
  signerOf,
  zone,
} from './update-setting.ts';
import type { UpdateParts } from './update-setting.ts';
import { badEnvelopes, sevenMessages, withBody } from './bad-envelopes.ts';
import type { BadUpdateRow } from './bad-envelopes.ts';

export interface BadUpdate {
  readonly code: string;
  readonly title: string;
  readonly parts: UpdateParts;
  /** The configuration that it is for, where that of a new channel does not do. */
  readonly before?: (channel: ConfigGroup) => void;
}

const longName = 'n'.repeat(250);

const named =
  (name: string) =>
  (channel: ConfigGroup): void =>
    void groupAt(channel, 'Application').policies.set(name, {
      version: 0n,
      policy: groupAt(channel, 'Application').policies.get('Readers')!.policy,
      modPolicy: 'Admins',
    });

const governed =
  (modPolicy: string) =>
  (channel: ConfigGroup): void => {
    sevenMessages(channel);
    valueOf(groupAt(channel, 'Orderer'), 'BatchSize').modPolicy = modPolicy;
  };

const batchSizeIn = ({ writeSet }: ConfigUpdate) =>
  valueOf(groupAt(writeSet!, 'Orderer'), 'BatchSize');

const table: readonly BadUpdateRow[] = [
  ...badEnvelopes,
  ...['with space', '..', '.', '', 'a/b', 'ümlaut', longName].map(
    (name) =>
      ['UPDATE_NAME_INVALID', `an element "${name.slice(0, 12)}"`, { edit: named(name) }] as const,
  ),
  [
    'UPDATE_NAME_INVALID',
    'an element with a bad name among those that were read',
    {
      edit: sevenMessages,
      update: ({ readSet }) => readSet!.values.set('with space', newValue(emptyBytes)),
    },
  ],
  [
    'UPDATE_OUTDATED',
    'an older version that was read',
    { edit: sevenMessages },
    (channel) => void (groupAt(channel, 'Orderer').version = 3n),
  ],
  [
    'UPDATE_OUTDATED',
    'an element that was read and is not there',
    {
      edit: sevenMessages,
      update: ({ readSet }) => readSet!.values.set('Gone', newValue(emptyBytes)),
    },
  ],
  [
    'UPDATE_OUTDATED',
    'a value read where there is a policy',
    {
      edit: sevenMessages,
      update: ({ readSet }) => readSet!.values.set('Admins', newValue(emptyBytes)),
    },
  ],
  [
    'UPDATE_EMPTY',
    'nothing that is written',
    { update: (update) => (update.writeSet = undefined) },
  ],
  ['UPDATE_EMPTY', 'what is written is what was read', {}],
  ...['', '/', '//Channel', 'Admins/', 'has space', '..', longName, '/Channel/Ädmins'].map(
    (modPolicy) =>
      [
        'UPDATE_MOD_POLICY_INVALID',
        `"${modPolicy.slice(0, 12)}" as the next policy`,
        { edit: governed(modPolicy) },
      ] as const,
  ),
  [
    'UPDATE_MOD_POLICY_INVALID',
    'a new element that nobody may change',
    {
      edit: (channel) => {
        named('Auditors')(channel);
        groupAt(channel, 'Application').policies.get('Auditors')!.modPolicy = '';
      },
    },
  ],
  [
    'UPDATE_VERSION_INVALID',
    'a version too far ahead',
    { edit: sevenMessages, update: (update) => (batchSizeIn(update).version = 2n) },
  ],
  [
    'UPDATE_VERSION_INVALID',
    'the version that it has',
    { edit: sevenMessages, update: (update) => (batchSizeIn(update).version = 0n) },
  ],
  [
    'UPDATE_VERSION_INVALID',
    'a new element in version 1',
    {
      edit: named('Auditors'),
      update: ({ writeSet }) =>
        (groupAt(writeSet!, 'Application').policies.get('Auditors')!.version = 1n),
    },
  ],
  [
    'UPDATE_VERSION_INVALID',
    'a group that changes without its next version',
    {
      edit: named('Auditors'),
      update: ({ readSet, writeSet }) => {
        groupAt(writeSet!, 'Application').version = 5n;
        groupAt(readSet!, 'Application').version = 0n;
      },
    },
  ],
  ['UPDATE_DENIED', 'no signature', { edit: sevenMessages, signers: [] }],
  [
    'UPDATE_DENIED',
    'administrators of others',
    { edit: sevenMessages, signers: [org1, org2, org3].map(adminOf) },
  ],
  [
    'UPDATE_DENIED',
    'one administrator of three',
    { edit: named('Auditors'), signers: [adminOf(org1)] },
  ],
  [
    'UPDATE_DENIED',
    'one administrator twice',
    { edit: named('Auditors'), signers: [adminOf(org1), adminOf(org1)] },
  ],
  [
    'UPDATE_DENIED',
    'a client beside an administrator',
    { edit: named('Auditors'), signers: [adminOf(org1), signerOf(org2, org2.client)] },
  ],
  [
    'UPDATE_DENIED',
    'an administrator of somebody not on the channel',
    { edit: named('Auditors'), signers: [adminOf(org1), adminOf(org4)] },
  ],
  [
    'UPDATE_DENIED',
    'a signature over another update',
    {
      edit: sevenMessages,
      data: withBody((body) => (body.configUpdate = anotherUpdate())),
    },
  ],
  [
    'UPDATE_DENIED',
    'a signature with the header of another',
    {
      edit: sevenMessages,
      signers: [adminOf(zone), adminOf(org1)],
      data: withBody(({ signatures: [first, second] }) => {
        first!.signatureHeader = second!.signatureHeader;
      }),
    },
  ],
  [
    'UPDATE_DENIED',
    'an element whose policy does not exist',
    { edit: sevenMessages },
    governed('Nobody'),
  ],
  [
    'UPDATE_DENIED',
    'an element whose policy is a path to nowhere',
    { edit: sevenMessages },
    governed('/Channel'),
  ],
  [
    'UPDATE_DENIED',
    'an element whose policy is outside of the channel',
    { edit: sevenMessages },
    governed('/Other/Admins'),
  ],
  [
    'UPDATE_DENIED',
    'an organisation that lets itself in',
    {
      edit: (channel) =>
        void groupAt(channel, 'Application').groups.set('Org4', groupOfNewcomer(org4)),
      signers: [adminOf(org4)],
    },
  ],
];

function anotherUpdate(): Uint8Array {
  const { config } = configAfter();
  const { channelGroup } = configAfter(setBatchSize({ maxMessageCount: 8 })).config;
  return ConfigUpdate.encode(updateBetween(channelId, config, channelGroup!));
}

/** Updates that break a rule of their own form, their versions or their signatures. */
export const badUpdates: readonly BadUpdate[] = table.map(([code, title, parts, before]) => ({
  code: `POLICY_${code}`,
  title,
  parts,
  ...(before && { before }),
}));
