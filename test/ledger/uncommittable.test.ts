import t from 'tap';
import { utf8 } from '#base';
import { fingerprint, nextBlock, openTestLedger, commit, write } from './support.ts';
import type { TestTransaction } from './support.ts';
import { temporaryDir } from '../support/temporary-dir.ts';

/** What makes stock peers panic or what this ledger cannot hold: refused whole, before it is stored. */
const emptySet = {
  namespace: 'notary',
  reads: [],
  rangeQueries: [],
  writes: [],
  metadataWrites: [],
};
const summary = (maxDegree: number, maxLevel: number, maxLevelHashes: Uint8Array[]) => ({
  startKey: '',
  endKey: '',
  itrExhausted: true,
  rawReads: undefined,
  readsMerkleHashes: { maxDegree, maxLevel, maxLevelHashes },
});

const cases: { title: string; code: string; block: TestTransaction[] }[] = [
  {
    title: 'a range summary of a degree below 2',
    code: 'LEDGER_BLOCK_UNCOMMITTABLE',
    block: [{ name: 'x', ranges: [summary(1, 1, [])] }],
  },
  {
    title: 'a range read without a version, when the key is there',
    code: 'LEDGER_BLOCK_UNCOMMITTABLE',
    block: [
      {
        name: 'x',
        ranges: [
          {
            startKey: '',
            endKey: '',
            itrExhausted: true,
            rawReads: { kvReads: [{ key: 'a', version: undefined }] },
            readsMerkleHashes: undefined,
          },
        ],
      },
    ],
  },
  {
    title: 'metadata for a key that the block deleted before',
    code: 'LEDGER_BLOCK_UNCOMMITTABLE',
    block: [
      { name: 'x', writes: [['a', undefined]] },
      { name: 'y', metadata: [['a', 'm']] },
    ],
  },
  {
    title: 'private data',
    code: 'LEDGER_COLLECTION_UNSUPPORTED',
    block: [
      {
        name: 'x',
        rwset: {
          namespaces: [
            {
              ...emptySet,
              collections: [{ collectionName: 'c', hashedRwset: utf8(''), pvtRwsetHash: utf8('') }],
            },
          ],
        },
      },
    ],
  },
  {
    title: 'a key longer than the state can hold',
    code: 'LEDGER_KEY_TOO_LONG',
    block: [{ name: 'x', writes: [['k'.repeat(1_972), 'v']] }],
  },
];

for (const { title, code, block } of cases) {
  t.test(`${title} is refused, and nothing of its block is recorded`, async (t) => {
    const dir = temporaryDir(t);
    await using ledger = await openTestLedger(dir);
    await commit(ledger, { name: 'before', writes: [['a', '1']] });
    const was = fingerprint(ledger);
    await t.rejects(ledger.commit(nextBlock(ledger, block)), { code });
    await t.rejects(write(ledger, ...block), { code });
    t.same(fingerprint(ledger), was);
    t.equal(ledger.proposed, undefined);
    await commit(ledger, { name: 'after' });
    t.equal(ledger.height, 3n);
  });
}

t.test('the longest key the state can hold is held', async (t) => {
  await using ledger = await openTestLedger(temporaryDir(t));
  const key = 'k'.repeat(1_971);
  await commit(ledger, { name: 'x', writes: [[key, 'v']] });
  t.equal(ledger.range('notary', key, '', 1)[0]?.key, key);
  t.equal(ledger.get('notary', `${key}longer`), undefined);
});
