import {
  Acls,
  AnchorPeers,
  BatchSize,
  BatchTimeout,
  Capabilities,
  ConfigUpdateEnvelope,
  ImplicitMetaPolicy,
  OrdererAddresses,
  implicitMetaRules,
  policyTypes,
} from '#formats';
import type { ConfigGroup, ConfigValue } from '#formats';
import { concatBytes, utf8 } from '#base';
import { TestCa } from './test-ca.ts';
import { editMsp, groupAt, signaturePolicy } from './test-channel.ts';
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

/** A title, and an update that the channel takes. */
export type GoodUpdate = readonly [title: string, parts: UpdateParts];

export const valueOf = (group: ConfigGroup, name: string): ConfigValue => {
  const value = group.values.get(name);
  if (value === undefined) throw new Error(`no value ${name}`);
  return value;
};

/** A value that its group does not have yet. */
export const newValue = (value: Uint8Array, modPolicy = 'Admins'): ConfigValue => ({
  version: 0n,
  value,
  modPolicy,
});

export const setBatchSize =
  (batch: Partial<BatchSize>) =>
  (channel: ConfigGroup): void => {
    const value = valueOf(groupAt(channel, 'Orderer'), 'BatchSize');
    value.value = BatchSize.encode({ ...BatchSize.decode(value.value), ...batch });
  };

function inNextVersions(group: ConfigGroup): ConfigGroup {
  const next = <Item extends { version: bigint }>(item: Item): Item => ({
    ...item,
    version: item.version + 1n,
  });
  const map = <Item>(items: Map<string, Item>, to: (item: Item) => Item) =>
    new Map([...items].map(([name, item]) => [name, to(item)]));
  return next({
    ...group,
    groups: map(group.groups, inNextVersions),
    values: map(group.values, next),
    policies: map(group.policies, next),
  });
}

const crl = await org1.ca.crl(org1.peer);

const secondZoneCa = await TestCa.root('second ca.Zone');

/** One change of each part of the tree, with the signatures that it takes. */
export const goodUpdates: readonly GoodUpdate[] = [
  [
    'an organisation joins',
    {
      edit: (channel) =>
        void groupAt(channel, 'Application').groups.set('Org4', groupOfNewcomer(org4)),
      signers: [org1, org2].map(adminOf),
    },
  ],
  [
    'an organisation leaves',
    {
      edit: (channel) => void groupAt(channel, 'Application').groups.delete('Org3'),
      signers: [org1, org3].map(adminOf),
    },
  ],
  [
    'an organisation revokes a certificate',
    {
      edit: (channel) =>
        editMsp(groupAt(channel, 'Application/Org1'), (msp) => msp.revocationList.push(crl)),
      signers: [adminOf(org1)],
    },
  ],
  [
    'the zone takes another authority beside its first',
    {
      edit: (channel) =>
        editMsp(groupAt(channel, 'Orderer/Zone'), (msp) =>
          msp.rootCerts.push(utf8(secondZoneCa.pem)),
        ),
      signers: [adminOf(zone)],
    },
  ],
  [
    'the zone changes the size of batches',
    { edit: setBatchSize({ maxMessageCount: 7 }), signers: [adminOf(zone)] },
  ],
  [
    'the zone changes the timeout of batches',
    {
      edit: (channel) => {
        valueOf(groupAt(channel, 'Orderer'), 'BatchTimeout').value = BatchTimeout.encode({
          timeout: '1.5s',
        });
      },
      signers: [adminOf(zone)],
    },
  ],
  [
    'the zone moves to other endpoints',
    {
      edit: (channel) => {
        valueOf(groupAt(channel, 'Orderer/Zone'), 'Endpoints').value = OrdererAddresses.encode({
          addresses: ['localhost:7051', '127.0.0.1:7052'],
        });
      },
      signers: [adminOf(zone)],
    },
  ],
  [
    'a client of an organisation sends what its administrator signed',
    {
      edit: (channel) =>
        void groupAt(channel, 'Application/Org2').values.set(
          'AnchorPeers',
          newValue(AnchorPeers.encode({ anchorPeers: [{ host: 'peer.org2', port: 7051 }] })),
        ),
      signers: [adminOf(org2)],
      outside: { sender: signerOf(org2, org2.client) },
    },
  ],
  [
    'a list of access rights comes with a policy of its own path',
    {
      edit: (channel) =>
        void groupAt(channel, 'Application').values.set(
          'ACLs',
          newValue(
            Acls.encode({ acls: new Map([['event/Block', { policyRef: '/Channel/Readers' }]]) }),
            '/Channel/Application/Org2/Admins',
          ),
        ),
    },
  ],
  [
    'a policy of signatures takes the place of one over policies',
    {
      edit: (channel) => {
        groupAt(channel, 'Application').policies.get('Endorsement')!.policy =
          signaturePolicy("OR('Org1MSP.peer')");
      },
    },
  ],
  [
    'a new policy',
    {
      edit: (channel) =>
        void groupAt(channel, 'Application').policies.set('Auditors', {
          version: 0n,
          policy: {
            type: policyTypes.implicitMeta,
            value: ImplicitMetaPolicy.encode({
              subPolicy: 'Auditors',
              rule: implicitMetaRules.any,
            }),
          },
          modPolicy: 'Org1/Admins',
        }),
    },
  ],
  [
    'a policy of an organisation goes',
    {
      edit: (channel) => void groupAt(channel, 'Application/Org1').policies.delete('Endorsement'),
    },
  ],
  [
    'a capability that every peer has',
    {
      edit: (channel) => {
        valueOf(channel, 'Capabilities').value = Capabilities.encode({
          capabilities: new Map(['V2_0', 'V1_4_3'].map((name) => [name, {}])),
        });
      },
    },
  ],
  [
    'a group has itself changed by others',
    { edit: (channel) => void (groupAt(channel, 'Application').modPolicy = 'Org2/Admins') },
  ],
  [
    'everything at once',
    {
      edit: (channel) => {
        setBatchSize({ preferredMaxBytes: 1_000 })(channel);
        groupAt(channel, 'Application').groups.set('Org4', groupOfNewcomer(org4));
        groupAt(channel, 'Application').groups.delete('Org1');
        groupAt(channel, 'Orderer').modPolicy = '/Channel/Orderer/Zone/Admins';
      },
    },
  ],
  [
    'a modification policy that is a path to nowhere',
    { edit: (channel) => void (groupAt(channel, 'Application').modPolicy = '/Channel') },
  ],
  [
    'an element that its group does not name comes to nothing',
    {
      update: ({ writeSet }) =>
        writeSet!.values.set('Unheard', newValue(utf8('anything'), 'Admins')),
    },
  ],
  [
    'an update that has read nothing and writes everything',
    {
      update: (update) => {
        update.readSet = undefined;
        update.writeSet = inNextVersions(configAfter().config.channelGroup!);
      },
    },
  ],
  [
    'one signature three times and one that is wrong',
    {
      edit: setBatchSize({ maxMessageCount: 11 }),
      signers: [zone, zone, zone].map(adminOf),
      data: (bytes) => {
        const body = ConfigUpdateEnvelope.decode(bytes);
        body.signatures[0]!.signature = utf8('no signature');
        return ConfigUpdateEnvelope.encode(body);
      },
    },
  ],
  [
    'fields outside of the update that nobody knows',
    {
      edit: setBatchSize({ maxMessageCount: 12 }),
      data: (bytes) => concatBytes(bytes, Uint8Array.of(0x78, 1)),
    },
  ],
];
