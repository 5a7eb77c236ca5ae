import t from 'tap';
import { textOf, utf8 } from '#base';
import { validationCodes } from '#formats';
import type { NamespaceRwSet } from '#formats';
import { commit, openTestLedger, versionOf } from './support.ts';
import type { TestTransaction } from './support.ts';
import { temporaryDir } from '../support/temporary-dir.ts';

const { VALID, MVCC_READ_CONFLICT, PHANTOM_READ_CONFLICT, DUPLICATE_TXID } = validationCodes;
const { ENDORSEMENT_POLICY_FAILURE, BAD_PAYLOAD, INVALID_OTHER_REASON } = validationCodes;

type Range = NamespaceRwSet['rangeQueries'][number];

function range(
  startKey: string,
  endKey: string,
  reads: [key: string, version: [number, number]][],
  itrExhausted = true,
): Range {
  const kvReads = reads.map(([key, version]) => ({ key, version: versionOf(version) }));
  return { startKey, endKey, itrExhausted, rawReads: { kvReads }, readsMerkleHashes: undefined };
}

/** Committed before each case: a, b and d by block 1's transactions 0, 1 and 1; c was deleted. */
const before: TestTransaction[][] = [
  [
    { name: 'p0', writes: [['a', '1']] },
    {
      name: 'p1',
      writes: [
        ['b', '1'],
        ['c', '1'],
        ['d', '1'],
      ],
    },
  ],
  [{ name: 'p2', writes: [['c', undefined]] }],
];

const all: [string, [number, number]][] = [
  ['a', [1, 0]],
  ['b', [1, 1]],
  ['d', [1, 1]],
];

const cases: { title: string; block: TestTransaction[]; codes: number[] }[] = [
  {
    title: 'a read of the committed version is fresh',
    block: [{ name: 'x', reads: [['a', [1, 0]]] }],
    codes: [VALID],
  },
  {
    title: 'a read of another block, another transaction or nothing is stale',
    block: [
      { name: 'x', reads: [['a', [0, 0]]] },
      { name: 'y', reads: [['a', [1, 1]]] },
      { name: 'z', reads: [['a', undefined]] },
    ],
    codes: [MVCC_READ_CONFLICT, MVCC_READ_CONFLICT, MVCC_READ_CONFLICT],
  },
  {
    title: 'a key that is not there has no version, which {0,0} is not',
    block: [
      { name: 'x', reads: [['c', undefined]] },
      { name: 'y', reads: [['none', undefined]] },
      { name: 'z', reads: [['none', [0, 0]]] },
    ],
    codes: [VALID, VALID, MVCC_READ_CONFLICT],
  },
  {
    title:
      'a key written earlier in the block is stale for whoever read it, also when it was deleted',
    block: [
      { name: 'x', reads: [['a', [1, 0]]], writes: [['a', '2']] },
      { name: 'y', reads: [['a', [1, 0]]], writes: [['a', '3']] },
      { name: 'z', writes: [['none', undefined]] },
      { name: 'w', reads: [['none', undefined]] },
    ],
    codes: [VALID, MVCC_READ_CONFLICT, VALID, MVCC_READ_CONFLICT],
  },
  {
    title: 'an invalid transaction makes nothing stale',
    block: [
      { name: 'x', reads: [['a', [9, 9]]], writes: [['b', '2']] },
      { name: 'y', writes: [['b', '2']], mark: 'badly endorsed' },
      { name: 'z', reads: [['b', [1, 1]]] },
    ],
    codes: [MVCC_READ_CONFLICT, ENDORSEMENT_POLICY_FAILURE, VALID],
  },
  {
    title: 'writes without reads never conflict',
    block: [
      { name: 'x', writes: [['a', '2']] },
      { name: 'y', writes: [['a', '3']] },
    ],
    codes: [VALID, VALID],
  },
  {
    title: 'the same rows again are no phantom',
    block: [
      { name: 'x', ranges: [range('', '', all)] },
      { name: 'y', ranges: [range('b', 'd', [all[1]!])] },
      { name: 'z', ranges: [range('b', '', all.slice(1))] },
      { name: 'w', ranges: [range('x', 'z', [])] },
      { name: 'v', ranges: [range('d', 'a', [])] },
    ],
    codes: [VALID, VALID, VALID, VALID, VALID],
  },
  {
    title: 'a row more, a row less, another version and another key are phantoms',
    block: [
      { name: 'x', ranges: [range('', '', all.slice(1))] },
      { name: 'y', ranges: [range('', '', [...all, ['e', [1, 1]]])] },
      { name: 'z', ranges: [range('a', 'b', [['a', [1, 1]]])] },
      { name: 'w', ranges: [range('a', 'b', [['aa', [1, 0]]])] },
      { name: 'v', ranges: [range('a', 'b', [])] },
    ],
    codes: Array.from({ length: 5 }, () => PHANTOM_READ_CONFLICT),
  },
  {
    title: 'what the block did before counts for a range: inserted, changed, deleted',
    block: [
      { name: 'x', writes: [['aa', '1']] },
      { name: 'x1', ranges: [range('a', 'b', [['a', [1, 0]]])] },
      {
        name: 'x2',
        ranges: [
          range('a', 'b', [
            ['a', [1, 0]],
            ['aa', [3, 0]],
          ]),
        ],
      },
      { name: 'y', writes: [['b', '2']] },
      { name: 'y1', ranges: [range('b', 'c', [['b', [1, 1]]])] },
      { name: 'y2', ranges: [range('b', 'c', [['b', [3, 3]]])] },
      { name: 'z', writes: [['d', undefined]] },
      { name: 'z1', ranges: [range('d', '', [['d', [1, 1]]])] },
      { name: 'z2', ranges: [range('d', '', [])] },
    ],
    codes: [
      VALID,
      PHANTOM_READ_CONFLICT,
      VALID,
      VALID,
      PHANTOM_READ_CONFLICT,
      VALID,
      VALID,
      PHANTOM_READ_CONFLICT,
      VALID,
    ],
  },
  {
    title: 'a range that was not read to its end includes the last key it saw',
    block: [
      { name: 'x', ranges: [range('', 'b', all.slice(0, 2), false)] },
      { name: 'y', ranges: [range('', 'b', all.slice(0, 1), false)] },
      { name: 'z', ranges: [range('', 'c', all.slice(0, 2), false)] },
      { name: 'w', writes: [['b', undefined]] },
      { name: 'v', ranges: [range('', 'b', all.slice(0, 2), false)] },
      { name: 'u', ranges: [range('', 'b', all.slice(0, 1), false)] },
    ],
    codes: [VALID, PHANTOM_READ_CONFLICT, VALID, VALID, PHANTOM_READ_CONFLICT, VALID],
  },
  {
    title: 'a stale key is found before a phantom',
    block: [{ name: 'x', reads: [['a', undefined]], ranges: [range('', '', [])] }],
    codes: [MVCC_READ_CONFLICT],
  },
  {
    title: 'of two good transactions with one id the first wins, and earlier blocks before both',
    block: [
      { name: 'x', writes: [['e', '1']] },
      { name: 'x', writes: [['e', '2']] },
      { name: 'p0' },
      { name: 'y', reads: [['a', undefined]] },
      { name: 'y' },
    ],
    codes: [VALID, DUPLICATE_TXID, DUPLICATE_TXID, MVCC_READ_CONFLICT, DUPLICATE_TXID],
  },
  {
    title: 'a transaction that failed before does not take its id from a later one in its block',
    block: [{ name: 'x', mark: 'badly endorsed' }, { name: 'x' }],
    codes: [ENDORSEMENT_POLICY_FAILURE, VALID],
  },
];

for (const { title, block, codes } of cases) {
  t.test(title, async (t) => {
    await using ledger = await openTestLedger(temporaryDir(t));
    for (const transactions of before) await commit(ledger, ...transactions);
    t.same((await commit(ledger, ...block)).codes, codes);
  });
}

t.test('P11 ids are used up by invalid transactions too', async (t) => {
  await using ledger = await openTestLedger(temporaryDir(t));
  await commit(ledger, { name: 'x', mark: 'badly endorsed' });
  t.same((await commit(ledger, { name: 'x' })).codes, [DUPLICATE_TXID]);
});

t.test('what cannot be read keeps the code of the stage before', async (t) => {
  await using ledger = await openTestLedger(temporaryDir(t));
  const data = [utf8('no envelope')];
  const { dataHash } = await import('#formats');
  const header = { number: 1n, previousHash: ledger.lastHeaderHash, dataHash: dataHash(data) };
  const block = { header, data: { data }, metadata: { metadata: [] } };
  t.same((await ledger.commit(block)).codes, [BAD_PAYLOAD]);
});

t.test(
  'a transaction without a readable set gets the code that Fabric gives it here',
  async (t) => {
    const validate = () => [{ code: VALID, txId: 'x', type: 3 } as const];
    await using ledger = await openTestLedger(temporaryDir(t), { validate });
    t.same((await commit(ledger, { name: 'x' })).codes, [INVALID_OTHER_REASON]);
  },
);

t.test(
  '002-17 only valid transactions are applied, the last write of a key with its own version',
  async (t) => {
    await using ledger = await openTestLedger(temporaryDir(t));
    await commit(
      ledger,
      { name: 'x', writes: [['a', '1']] },
      { name: 'y', reads: [['a', [7, 7]]], writes: [['a', 'never']] },
      { name: 'z', writes: [['a', '2']] },
    );
    const entry = ledger.get('notary', 'a')!;
    t.equal(textOf(entry.value), '2');
    t.same(entry.version, versionOf([1, 2]));
  },
);
