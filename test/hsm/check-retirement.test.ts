import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { toBase64 } from '#base';
import { rotateFunction } from '#formats';
import { checkRetirement } from '../../hsm/check-retirement.ts';
import { newVersion, rotationRecord } from '../formats/rotation-sample.ts';
import { fuzz } from '../crypto/fuzzing.ts';
import { ledgerOfReceipts, rotationReceipt } from './rotation-receipt.ts';

const [first, second, third] = [await newVersion(), await newVersion(), await newVersion()];
const record = rotationRecord(first, second);
const other = rotationRecord(first, third);
const ledger = ledgerOfReceipts(t.testdir());
const unproved = (reason: string) => ({
  code: 'HSM_RETIREMENT_UNPROVED',
  kind: 'denied',
  detail: { reason },
});

t.test('a receipt shows that a rotation is on the ledger', async (t) => {
  t.doesNotThrow(() => checkRetirement(rotationReceipt(record), record, ledger));
  const late = rotationReceipt(record, { leaf: { blockNumber: 3n } });
  t.doesNotThrow(() => checkRetirement(late, record, ledger), 'also under a later block');
});

t.test('what shows anything else destroys no key', async (t) => {
  const operations = [{ function: rotateFunction, args: [toBase64(record)] }];
  const cases: readonly [reason: string, receipt: Uint8Array][] = [
    ['another request', rotationReceipt(other)],
    ['another request', rotationReceipt(record, { payload: { contract: 'notary' } })],
    [
      'another request',
      rotationReceipt(record, {
        payload: { operations: [{ function: 'approve', args: operations[0]!.args }] },
      }),
    ],
    ['channel', rotationReceipt(record, { payload: { channel: 'elsewhere' } })],
    ['invalidated', rotationReceipt(record, { leaf: { validationCode: 11 } })],
    ['failed', rotationReceipt(record, { result: { status: 409, payloads: [] } })],
    [
      'FORMATS_RECEIPT_RESULT_MISMATCH',
      rotationReceipt(record, { leaf: { resultHash: new Uint8Array(32) } }),
    ],
  ];
  for (const [reason, receipt] of cases) {
    t.throws(() => checkRetirement(receipt, record, ledger), unproved(reason), reason);
  }
});

t.test('only the ordering service of the configuration is believed', async (t) => {
  const receipt = rotationReceipt(record);
  const check = (changes: object | undefined) => () =>
    checkRetirement(receipt, record, changes && { ...ledger, ...changes });
  t.throws(check(undefined), unproved('no ledger is configured'));
  t.throws(check({ mspid: 'Org1MSP' }), unproved('signer'));
  const caFile = join(t.testdir(), 'other.pem');
  writeFileSync(caFile, first.pem);
  t.throws(check({ caFile }), unproved('signer'));
});

t.test('whatever is done to a receipt, it shows the same or nothing', async (t) => {
  const outcome = fuzz((bytes) => checkRetirement(bytes, record, ledger), rotationReceipt(record), {
    seed: 6,
    rounds: 300,
  });
  t.strictSame(outcome.escaped, []);
  t.ok(outcome.refused > 200);
});
