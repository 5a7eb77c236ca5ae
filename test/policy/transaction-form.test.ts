import t from 'tap';
import { emptyBytes, utf8 } from '#base';
import {
  ConfigEnvelope,
  Envelope,
  Payload,
  SignatureHeader,
  Transaction,
  headerTypes,
  validationCodes,
} from '#formats';
import { validateTransaction } from '#policy';
import { TestCa } from './test-ca.ts';
import { transactionOf, txIdOf } from './test-transaction.ts';
import {
  codeOf,
  config,
  creator,
  garbage,
  good,
  lookups,
  mirrored,
  orgs,
  zone,
} from './test-validation.ts';
import type { Defect } from './test-validation.ts';

t.test('a good transaction is valid, with its id, type and read-write set', async (t) => {
  const verdict = validateTransaction(config, transactionOf(good), lookups);
  t.equal(verdict.code, validationCodes.VALID);
  t.equal(verdict.txId, txIdOf(creator));
  t.equal(verdict.type, headerTypes.endorserTransaction);
  t.strictSame(
    verdict.rwset?.namespaces.map(({ namespace, writes }) => [namespace, writes[0]?.key]),
    [['notary', 'key']],
  );
});

const defects: readonly Defect[] = [
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
    'a configuration',
    {
      channelHeader: { type: headerTypes.config },
      data: () => ConfigEnvelope.encode({ config: config.config }),
    },
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

for (const [name, defect, parts] of defects) {
  t.test(`002-16 ${defect} is ${name}`, async (t) => {
    t.equal(codeOf(parts), name);
  });
}

t.test(
  'an envelope that is no message is INVALID_OTHER_REASON, an empty one BAD_COMMON_HEADER',
  async (t) => {
    const { code, txId, type } = validateTransaction(config, garbage, lookups);
    t.strictSame([code, txId, type], [validationCodes.INVALID_OTHER_REASON, '', 0]);
    const empty = validateTransaction(config, emptyBytes, lookups);
    t.equal(empty.code, validationCodes.BAD_COMMON_HEADER);
  },
);

t.test('an invalid transaction keeps the id that the ledger knows it by', async (t) => {
  const bytes = transactionOf({ ...good, channelHeader: { txId: 'ab', epoch: 1n } });
  t.equal(validateTransaction(config, bytes, lookups).txId, 'ab');
  const nameless = transactionOf({ ...good, channelHeader: { txId: '' } });
  t.equal(validateTransaction(config, nameless, lookups).txId, txIdOf(creator));
});

t.test('neither time nor version nor the status of the response is looked at', async (t) => {
  t.equal(codeOf({ channelHeader: { version: 9, timestamp: undefined } }), 'VALID');
  const response = { status: 500, message: 'no', payload: emptyBytes };
  t.equal(codeOf({ chaincodeAction: { response } }), 'VALID');
});

t.test('an expired creator is a creator still', async (t) => {
  const old = await zone.ca.issue('old', {
    units: ['client'],
    notAfter: new Date('2024-02-01T00:00:00Z'),
  });
  t.equal(codeOf({ creator: { mspid: zone.mspid, identity: old } }), 'VALID');
});

t.test('a creator without a role is refused', async (t) => {
  const nobody = await zone.ca.issue('nobody');
  t.equal(codeOf({ creator: { mspid: zone.mspid, identity: nobody } }), 'BAD_CREATOR_SIGNATURE');
  const foreign = await (await TestCa.root('ca.Zone')).issue('relay', { units: ['client'] });
  t.equal(codeOf({ creator: { mspid: zone.mspid, identity: foreign } }), 'BAD_CREATOR_SIGNATURE');
});

t.test('bytes that our encoder would write in another way are judged all the same', async (t) => {
  const canonical = transactionOf(good);
  const { payload, signature } = Envelope.decode(canonical);
  const reversed = Buffer.concat([Envelope.encode({ signature }), Envelope.encode({ payload })]);
  t.equal(validateTransaction(config, reversed, lookups).code, validationCodes.VALID);
});
