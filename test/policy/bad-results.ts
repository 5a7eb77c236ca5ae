import { emptyBytes, utf8 } from '#base';
import {
  BatchTimeout,
  BlockDataHashingStructure,
  HashingAlgorithm,
  MspConfig,
  SignaturePolicyEnvelope,
  policyTypes,
} from '#formats';
import { setBatchSize } from './good-updates.ts';
import type { BadUpdate } from './bad-updates.ts';
import { editMsp, groupAt } from './test-channel.ts';
import { org1, org2, org4 } from './update-setting.ts';

import {
  add,
  capabilities,
  consensus,
  editedUpdate,
  msp,
  newcomer,
  policy,
  remove,
  set,
} from './config-edits.ts';
import type { Edit } from './config-edits.ts';
import { garbage } from './bad-envelopes.ts';
/** What no version of Fabric lets a channel become, whoever signs it. */
const refusedByAll: readonly (readonly [code: string, title: string, edit: Edit])[] = [
  ['CONFIG_INVALID', 'no group for ordering', remove('', 'Orderer')],
  ['CONFIG_INVALID', 'no group for applications', remove('', 'Application')],
  [
    'CONFIG_INVALID',
    'another group of the channel',
    (channel) => void channel.groups.set('Consortiums', groupAt(channel, 'Application')),
  ],
  ['CONFIG_INVALID', 'a value that the channel does not know', add('', 'Surprise', emptyBytes)],
  [
    'CONFIG_INVALID',
    'a value of a group that does not know it',
    add('Application', 'BatchSize', emptyBytes),
  ],
  [
    'CONFIG_INVALID',
    'a value of an organisation that does not know it',
    add('Application/Org1', 'Endpoints', emptyBytes),
  ],
  [
    'CONFIG_INVALID',
    'a group below an organisation',
    (channel) =>
      void groupAt(channel, 'Application/Org1').groups.set(
        'Org2',
        groupAt(channel, 'Application/Org2'),
      ),
  ],
  ['CONFIG_INVALID', 'a value that cannot be read', set('Orderer', 'BatchSize', garbage)],
  [
    'CONFIG_INVALID',
    'anchor peers that cannot be read',
    add('Application/Org1', 'AnchorPeers', garbage),
  ],
  ['CONFIG_INVALID', 'batches of no message', setBatchSize({ maxMessageCount: 0 })],
  ['CONFIG_INVALID', 'batches of no byte', setBatchSize({ absoluteMaxBytes: 0 })],
  ['CONFIG_INVALID', 'batches that prefer no byte', setBatchSize({ preferredMaxBytes: 0 })],
  [
    'CONFIG_INVALID',
    'batches that prefer more than they may',
    setBatchSize({ preferredMaxBytes: 4e9 }),
  ],
  ['CONFIG_INVALID', 'no size of batches', remove('Orderer', 'BatchSize')],
  ...['', '0s', '-1s', '5', 'soon'].map(
    (timeout) =>
      [
        'CONFIG_INVALID',
        `"${timeout}" as the timeout of batches`,
        set('Orderer', 'BatchTimeout', BatchTimeout.encode({ timeout })),
      ] as const,
  ),
  [
    'CONFIG_INVALID',
    'an unknown hash',
    set('', 'HashingAlgorithm', HashingAlgorithm.encode({ name: 'MD5' })),
  ],
  [
    'CONFIG_INVALID',
    'another width of hashing',
    set('', 'BlockDataHashingStructure', BlockDataHashingStructure.encode({ width: 2 })),
  ],
  [
    'CONFIG_INVALID',
    'an unknown capability of the channel',
    set('', 'Capabilities', capabilities('V2_0', 'V99')),
  ],
  [
    'CONFIG_INVALID',
    'an unknown capability of ordering',
    set('Orderer', 'Capabilities', capabilities('V99')),
  ],
  ['CONFIG_INVALID', 'no capabilities of ordering', remove('Orderer', 'Capabilities')],
  ['CONFIG_INVALID', 'a policy of an unknown type', policy(9, emptyBytes)],
  [
    'CONFIG_INVALID',
    'a policy without content',
    (channel) => void (groupAt(channel, 'Application').policies.get('Readers')!.policy = undefined),
  ],
  [
    'CONFIG_INVALID',
    'an implicit policy that cannot be read',
    policy(policyTypes.implicitMeta, garbage),
  ],
  [
    'CONFIG_INVALID',
    'a policy of signatures that cannot be read',
    policy(policyTypes.signature, garbage),
  ],
  [
    'CONFIG_INVALID',
    'a policy of signatures by nobody',
    policy(policyTypes.signature, SignaturePolicyEnvelope.encode({})),
  ],
  [
    'CONFIG_INVALID',
    'a policy of signatures of version 1',
    policy(
      policyTypes.signature,
      SignaturePolicyEnvelope.encode({
        version: 1,
        rule: { signedBy: undefined, nOutOf: { n: 0, rules: [] } },
      }),
    ),
  ],
  [
    'CONFIG_INVALID',
    'a principal that is not listed',
    policy(
      policyTypes.signature,
      SignaturePolicyEnvelope.encode({
        version: 0,
        rule: { signedBy: 1, nOutOf: undefined },
      }),
    ),
  ],
  ['CONFIG_INVALID', 'an organisation without a provider', newcomer(remove('', 'MSP'))],
  [
    'CONFIG_INVALID',
    'a provider of an unknown type',
    newcomer(set('', 'MSP', MspConfig.encode({ type: 7 }))),
  ],
  [
    'CONFIG_INVALID',
    'a provider without a name',
    newcomer((group) => editMsp(group, (fields) => (fields.name = ''))),
  ],
  [
    'CONFIG_INVALID',
    'a provider without a root',
    newcomer((group) => editMsp(group, (fields) => (fields.rootCerts = []))),
  ],
  [
    'CONFIG_INVALID',
    'a root that is no certificate',
    newcomer((group) => editMsp(group, (fields) => (fields.rootCerts = [garbage]))),
  ],
  [
    'CONFIG_INVALID',
    'a root that is no authority',
    newcomer((group) => editMsp(group, (fields) => (fields.rootCerts = [utf8(org4.client.pem)]))),
  ],
  [
    'CONFIG_INVALID',
    'an intermediate of another root',
    newcomer((group) =>
      editMsp(group, (fields) => (fields.intermediateCerts = [utf8(org1.ca.pem)])),
    ),
  ],
  [
    'CONFIG_INVALID',
    'a revocation list that cannot be read',
    msp('Application/Org1', (fields) => (fields.revocationList = [garbage])),
  ],
  [
    'CONFIG_INVALID',
    'an administrator of another root',
    msp('Application/Org1', (fields) => (fields.admins = [utf8(org2.admin.pem)])),
  ],
  [
    'CONFIG_INVALID',
    'a TLS root that is no authority',
    msp('Application/Org1', (fields) => (fields.tlsRootCerts = [utf8(org1.client.pem)])),
  ],
  [
    'CONFIG_INVALID',
    'no administrators at all',
    msp('Application/Org1', (fields) => (fields.fabricNodeOus = undefined)),
  ],
  [
    'CONFIG_INVALID',
    'one provider twice and differently',
    newcomer((group) => editMsp(group, (fields) => (fields.name = 'Org1MSP'))),
  ],
  [
    'UPDATE_FORBIDDEN',
    'an organisation with another MSP id',
    msp('Application/Org1', (fields) => (fields.name = 'OtherMSP')),
  ],
  [
    'UPDATE_FORBIDDEN',
    'an ordering organisation with another MSP id',
    msp('Orderer/Zone', (fields) => (fields.name = 'OtherMSP')),
  ],
  ['UPDATE_FORBIDDEN', 'another type of consensus', consensus({ type: 'BFT' })],
];

/** Updates that everybody signed and whose result is none. */
export const badResults: readonly BadUpdate[] = refusedByAll.map((one) => editedUpdate(...one));
