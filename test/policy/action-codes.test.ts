import t from 'tap';
import { emptyBytes } from '#base';
import { ChaincodeEvent, ChaincodeHeaderExtension, TxReadWriteSet } from '#formats';
import { lookupsOf, textPolicy, txIdOf, write } from './test-transaction.ts';
import { codeOf, creator, garbage, twoOfThree } from './test-validation.ts';
import type { Defect } from './test-validation.ts';

const extensionOf = (name: string) =>
  ChaincodeHeaderExtension.encode({ chaincodeId: { path: '', name, version: '' } });
const event = (chaincodeId: string) => ChaincodeEvent.encode({ chaincodeId });
/** The code in question has to be seen before the missing endorsements are. */
const alsoNoEndorsement = { endorsers: [] };

const defects: readonly Defect[] = [
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

for (const [name, defect, parts] of defects) {
  t.test(`002-16 ${defect} is ${name}`, async (t) => {
    t.equal(codeOf(parts), name);
  });
}

t.test(
  'an id that the ledger has is DUPLICATE_TXID, before the contract is looked at',
  async (t) => {
    const seen: string[] = [];
    const ledger = lookupsOf(
      { notary: twoOfThree },
      {
        hasTransaction: (txId) => {
          seen.push(txId);
          return true;
        },
      },
    );
    t.equal(codeOf({}, ledger), 'DUPLICATE_TXID');
    t.strictSame(seen, [txIdOf(creator)]);
    t.equal(codeOf({ contract: 'nobody' }, ledger), 'DUPLICATE_TXID');
    t.equal(codeOf({ chaincodeAction: { results: garbage } }, ledger), 'DUPLICATE_TXID');
    t.equal(codeOf({ channelHeader: { txId: 'ab' } }, ledger), 'BAD_PROPOSAL_TXID');
  },
);

t.test(
  'a definition without policy is no definition, one with a strange plugin stops all',
  async (t) => {
    const defined = (policy: Uint8Array, plugin: string) =>
      lookupsOf({}, { definition: () => ({ applicationPolicy: policy, plugin }) });
    t.equal(codeOf({}, defined(emptyBytes, 'vscc')), 'INVALID_CHAINCODE');
    t.equal(codeOf({}, defined(textPolicy(twoOfThree), '')), 'INVALID_CHAINCODE');
    t.throws(() => codeOf({}, defined(textPolicy(twoOfThree), 'mine')), {
      code: 'POLICY_PLUGIN_UNKNOWN',
    });
  },
);
