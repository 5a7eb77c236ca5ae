import { concatBytes } from '#base';
import { HashingAlgorithm, ImplicitMetaPolicy, policyTypes } from '#formats';
import { setBatchSize } from './good-updates.ts';
import type { BadUpdate } from './bad-updates.ts';
import { editMsp, groupAt, signaturePolicy } from './test-channel.ts';
import { crlOfOrderer } from './update-setting.ts';

import {
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
/** What Fabric, or some version of it, would take and a channel of the zone does not. */
const refusedHere: readonly (readonly [code: string, title: string, edit: Edit])[] = [
  [
    'CONFIG_INVALID',
    'hashes by SHA-3',
    set('', 'HashingAlgorithm', HashingAlgorithm.encode({ name: 'SHA3_256' })),
  ],
  [
    'CONFIG_INVALID',
    'a capability that 2.5 does not have',
    set('', 'Capabilities', capabilities('V3_0')),
  ],
  [
    'CONFIG_INVALID',
    'a channel without the rules of 1.4.3 for members',
    set('', 'Capabilities', capabilities('V1_4_2')),
  ],
  [
    'CONFIG_INVALID',
    'an application without the rules of 2.0',
    set('Application', 'Capabilities', capabilities('V1_4_2')),
  ],
  [
    'CONFIG_INVALID',
    'an application of an unknown capability',
    set('Application', 'Capabilities', capabilities('V99', 'V2_0')),
  ],
  ['CONFIG_INVALID', 'nobody who may sign blocks', remove('Orderer', 'BlockValidation')],
  [
    'CONFIG_INVALID',
    'an implicit policy with an unknown rule',
    policy(policyTypes.implicitMeta, ImplicitMetaPolicy.encode({ subPolicy: 'Readers', rule: 5 })),
  ],
  [
    'CONFIG_INVALID',
    'a provider that hashes by SHA-3',
    newcomer((group) =>
      editMsp(
        group,
        (fields) => (fields.cryptoConfig!.identityIdentifierHashFunction = 'SHA3_256'),
      ),
    ),
  ],
  ['UPDATE_FORBIDDEN', 'the state for moving to another engine', consensus({ state: 1 })],
  ['UPDATE_FORBIDDEN', 'consenters that cannot be read', consensus({ metadata: garbage })],
  [
    'UPDATE_ORDERER_DENIED',
    'an orderer that is revoked',
    msp('Orderer/Zone', (fields) => (fields.revocationList = [crlOfOrderer])),
  ],
  [
    'UPDATE_ORDERER_DENIED',
    'blocks that somebody else signs',
    (channel) =>
      void (groupAt(channel, 'Orderer').policies.get('BlockValidation')!.policy =
        signaturePolicy("OR('ZoneMSP.admin')")),
  ],
  ['UPDATE_FORBIDDEN', 'no consenter', consensus({ metadata: Uint8Array.of(0x12, 0) })],
];

/** Updates that Fabric's own orderer takes. */
export const stricterHere: readonly BadUpdate[] = [
  ...refusedHere.map((one) => editedUpdate(...one)),
  {
    code: 'POLICY_UPDATE_FIELD_UNKNOWN',
    title: 'a field that nobody knows',
    parts: {
      edit: setBatchSize({ maxMessageCount: 7 }),
      updateBytes: (bytes) => concatBytes(bytes, Uint8Array.of(0x78, 1)),
    },
  },
  {
    code: 'POLICY_UPDATE_MALFORMED',
    title: 'an envelope in another form',
    parts: {
      edit: setBatchSize({ maxMessageCount: 7 }),
      envelope: (bytes) => concatBytes(bytes, Uint8Array.of(0x78, 1)),
    },
  },
];
