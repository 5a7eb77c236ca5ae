import t from 'tap';
import { emptyBytes } from '#base';
import { Envelope, headerTypes, validationCodes } from '#formats';
import { validateTransaction } from '#policy';
import { formDefects } from './defects.ts';
import { TestCa } from './test-ca.ts';
import { transactionOf, txIdOf } from './test-transaction.ts';
import { codeOf, config, creator, garbage, good, lookups, zone } from './test-validation.ts';

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

for (const [name, defect, parts] of formDefects) {
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
