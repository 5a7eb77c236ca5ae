import t from 'tap';
import { emptyBytes } from '#base';
import { actionDefects } from './defects.ts';
import { lookupsOf, textPolicy, txIdOf } from './test-transaction.ts';
import { codeOf, creator, garbage, twoOfThree } from './test-validation.ts';

for (const [name, defect, parts] of actionDefects) {
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
