/** Everything a transaction can have wrong by itself, and Fabric's code for it. */
import { emptyBytes, utf8 } from '#base';
import {
  ChaincodeEvent,
  ChaincodeHeaderExtension,
  HashedRwSet,
  Payload,
  SignatureHeader,
  Transaction,
  TxReadWriteSet,
  headerTypes,
} from '#formats';
import { write } from './test-transaction.ts';
import { endorsers, garbage, mirrored, orgs, zone } from './test-validation.ts';
import type { Defect } from './test-validation.ts';

/** What is wrong with the form of a transaction. */
export const formDefects: readonly Defect[] = [
  ['BAD_PAYLOAD', 'a payload that is no message', { payload: () => garbage }],
  ['BAD_COMMON_HEADER', 'no header', { payload: ({ data }) => Payload.encode({ data }) }],
  [
    'BAD_COMMON_HEADER',
    'a channel header that is no message',
    {
      payload: ({ header, data }) =>
        Payload.encode({ data, header: { ...header!, channelHeader: garbage } }),
    },
  ],
  ['BAD_COMMON_HEADER', 'a type that no transaction has', { channelHeader: { type: 0 } }],
  ['BAD_COMMON_HEADER', 'an epoch', { channelHeader: { epoch: 1n } }],
  ['BAD_COMMON_HEADER', 'no nonce', { signatureHeader: { nonce: emptyBytes } }],
  ['BAD_COMMON_HEADER', 'no creator', { signatureHeader: { creator: emptyBytes } }],
  [
    'BAD_CREATOR_SIGNATURE',
    'a signature by somebody else',
    { envelope: ({ payload }) => ({ signature: zone.admin.sign(payload) }) },
  ],
  ['BAD_CREATOR_SIGNATURE', 'no signature', { envelope: () => ({ signature: emptyBytes }) }],
  [
    'BAD_CREATOR_SIGNATURE',
    'a signature with high s',
    { envelope: ({ signature }) => ({ signature: mirrored(signature) }) },
  ],
  [
    'BAD_CREATOR_SIGNATURE',
    'a creator that is no identity',
    { signatureHeader: { creator: garbage } },
  ],
  [
    'BAD_CREATOR_SIGNATURE',
    'a creator of an unknown provider',
    { creator: { mspid: 'Org9MSP', identity: zone.client } },
  ],
  [
    'BAD_CREATOR_SIGNATURE',
    'a creator of another authority',
    { creator: { mspid: zone.mspid, identity: orgs[0]!.client } },
  ],
  ['BAD_CREATOR_SIGNATURE', 'another channel', { channelHeader: { channelId: 'other' } }],
  ['BAD_CREATOR_SIGNATURE', 'no channel', { channelHeader: { channelId: '' } }],
  [
    'UNSUPPORTED_TX_PAYLOAD',
    'a configuration update',
    { channelHeader: { type: headerTypes.configUpdate } },
  ],
  [
    'INVALID_CONFIG_TRANSACTION',
    'a configuration without content',
    { channelHeader: { type: headerTypes.config }, data: () => emptyBytes },
  ],
  ['BAD_PROPOSAL_TXID', 'another id', { channelHeader: { txId: 'ab' } }],
  ['BAD_PROPOSAL_TXID', 'no id', { channelHeader: { txId: '' } }],
  ['INVALID_ENDORSER_TRANSACTION', 'data that is no transaction', { data: () => garbage }],
  ['INVALID_ENDORSER_TRANSACTION', 'no action', { data: () => emptyBytes }],
  [
    'INVALID_ENDORSER_TRANSACTION',
    'two actions',
    { data: ({ actions }) => Transaction.encode({ actions: [...actions, ...actions] }) },
  ],
  [
    'INVALID_ENDORSER_TRANSACTION',
    'an action without nonce',
    {
      data: ({ actions }) => {
        const header = SignatureHeader.encode({ creator: utf8('x') });
        return Transaction.encode({ actions: [{ ...actions[0]!, header }] });
      },
    },
  ],
  [
    'INVALID_ENDORSER_TRANSACTION',
    'an action whose header is another',
    {
      data: ({ actions }) => {
        const header = SignatureHeader.encode({ creator: utf8('x'), nonce: utf8('y') });
        return Transaction.encode({ actions: [{ ...actions[0]!, header }] });
      },
    },
  ],
  ['INVALID_ENDORSER_TRANSACTION', 'no endorsed action', { actionPayload: { action: undefined } }],
  [
    'INVALID_ENDORSER_TRANSACTION',
    'another proposal',
    { actionPayload: { chaincodeProposalPayload: utf8('another') } },
  ],
  [
    'INVALID_ENDORSER_TRANSACTION',
    'no proposal',
    { actionPayload: { chaincodeProposalPayload: emptyBytes } },
  ],
  [
    'INVALID_ENDORSER_TRANSACTION',
    'another proposal hash',
    { proposalResponsePayload: { proposalHash: new Uint8Array(32) } },
  ],
];

const extensionOf = (name: string) =>
  ChaincodeHeaderExtension.encode({ chaincodeId: { path: '', name, version: '' } });
const event = (chaincodeId: string) => ChaincodeEvent.encode({ chaincodeId });
/** The code in question has to be seen before the missing endorsements are. */
const alsoNoEndorsement = { endorsers: [] };

/** What is wrong with the call of a contract, or with its result. */
export const actionDefects: readonly Defect[] = [
  [
    'BAD_HEADER_EXTENSION',
    'an extension that is no message',
    { channelHeader: { extension: garbage }, ...alsoNoEndorsement },
  ],
  [
    'BAD_RESPONSE_PAYLOAD',
    'no contract action',
    { proposalResponsePayload: { extension: emptyBytes }, ...alsoNoEndorsement },
  ],
  [
    'BAD_RESPONSE_PAYLOAD',
    'a contract action that is no message',
    { proposalResponsePayload: { extension: garbage }, ...alsoNoEndorsement },
  ],
  [
    'BAD_RWSET',
    'a read-write set that is no message',
    { chaincodeAction: { results: garbage }, ...alsoNoEndorsement },
  ],
  [
    'BAD_RWSET',
    'a namespace whose set is no message',
    {
      chaincodeAction: {
        results: TxReadWriteSet.encode({
          nsRwset: [{ namespace: 'notary', rwset: garbage, collectionHashedRwset: [] }],
        }),
      },
    },
  ],
  [
    'INVALID_OTHER_REASON',
    'no contract in the header',
    { channelHeader: { extension: emptyBytes }, ...alsoNoEndorsement },
  ],
  [
    'INVALID_OTHER_REASON',
    'no contract in the action',
    { chaincodeAction: { chaincodeId: undefined }, ...alsoNoEndorsement },
  ],
  [
    'INVALID_CHAINCODE',
    'a contract without name',
    { channelHeader: { extension: extensionOf('') } },
  ],
  [
    'INVALID_CHAINCODE',
    'two names of the contract',
    { channelHeader: { extension: extensionOf('other') }, ...alsoNoEndorsement },
  ],
  [
    'INVALID_CHAINCODE',
    'a contract without version',
    { chaincodeAction: { chaincodeId: { path: '', name: 'notary', version: '' } } },
  ],
  [
    'INVALID_OTHER_REASON',
    'an event that is no message',
    { chaincodeAction: { events: garbage }, ...alsoNoEndorsement },
  ],
  [
    'INVALID_OTHER_REASON',
    'an event of another contract',
    { chaincodeAction: { events: event('other') }, ...alsoNoEndorsement },
  ],
  [
    'ILLEGAL_WRITESET',
    'one namespace twice',
    { namespaces: [{ namespace: 'notary' }, { namespace: 'notary' }], ...alsoNoEndorsement },
  ],
  ['INVALID_CHAINCODE', 'a contract that is not defined', { contract: 'nobody', endorsers: [] }],
  [
    'INVALID_CHAINCODE',
    'a write to a contract that is not defined',
    { namespaces: [{ namespace: 'nobody', writes: [write('key')] }] },
  ],
];

/** What is wrong with the endorsements. */
export const endorsementDefects: readonly Defect[] = [
  ['ENDORSEMENT_POLICY_FAILURE', 'no endorsement', { endorsers: [] }],
  ['ENDORSEMENT_POLICY_FAILURE', 'one endorsement short', { endorsers: endorsers.slice(1, 2) }],
  [
    'ENDORSEMENT_POLICY_FAILURE',
    'one endorser twice',
    { endorsers: [endorsers[0]!, endorsers[0]!] },
  ],
  [
    'ENDORSEMENT_POLICY_FAILURE',
    'endorsers with the wrong role',
    { endorsers: orgs.map(({ mspid, client }) => ({ mspid, identity: client })) },
  ],
  [
    'ENDORSEMENT_POLICY_FAILURE',
    'an endorsement with high s',
    {
      endorsers: endorsers.slice(0, 2),
      endorsements: ([first, second]) => [
        first!,
        { ...second!, signature: mirrored(second!.signature) },
      ],
    },
  ],
  [
    'ENDORSEMENT_POLICY_FAILURE',
    'an endorsement of something else',
    {
      endorsers: endorsers.slice(0, 2),
      endorsements: ([first, second]) => [
        first!,
        { ...second!, signature: endorsers[1]!.identity.sign(utf8('else')) },
      ],
    },
  ],
  [
    'ENDORSEMENT_POLICY_FAILURE',
    'a call that writes nothing and is not endorsed',
    { namespaces: [], endorsers: [] },
  ],
  [
    'ENDORSEMENT_POLICY_FAILURE',
    'a write to a private collection',
    {
      namespaces: [
        {
          namespace: 'notary',
          collections: [
            {
              collectionName: 'secret',
              hashedRwset: HashedRwSet.encode({
                hashedWrites: [{ keyHash: utf8('k'), isDelete: false, valueHash: utf8('v') }],
              } as Partial<ReturnType<typeof HashedRwSet.initial>>),
              pvtRwsetHash: emptyBytes,
            },
          ],
        },
      ],
    },
  ],
];
