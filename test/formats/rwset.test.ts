import t from 'tap';
import { compareBytes, utf8 } from '#base';
import { KvRwSet, TxReadWriteSet, compareKeys, encodeRwSet, parseRwSet } from '#formats';
import type { NamespaceRwSet } from '#formats';
import { SeededRandom } from './random.ts';

const units = [
  'a',
  'b',
  '\u007f',
  '\u0080',
  'ß',
  '\ud7ff',
  '\ue000',
  '\uffff',
  '\u{10000}',
  '\u{10ffff}',
];

t.test('keys are ordered by their bytes, also where UTF-16 orders them otherwise', async (t) => {
  const random = new SeededRandom(4);
  const key = () => Array.from({ length: random.below(4) }, () => units[random.below(10)]).join('');
  let apart = 0;
  for (let count = 0; count < 5_000; count += 1) {
    const [a, b] = [key(), key()];
    const expected = compareBytes(utf8(a), utf8(b));
    if (Math.sign(compareKeys(a, b)) !== expected) t.fail(`${a} and ${b}`);
    if (expected !== 0 && expected !== (a < b ? -1 : 1)) apart += 1;
  }
  t.ok(apart > 10, 'the two orders differ for some');
});

const namespace = (name: string, keys: string[]): NamespaceRwSet => ({
  namespace: name,
  reads: keys.map((key) => ({ key, version: undefined })),
  rangeQueries: [],
  writes: keys.map((key) => ({ key, isDelete: false, value: utf8(key) })),
  metadataWrites: [],
});

t.test('the order in which reads and writes were made does not show', async (t) => {
  const one = { namespaces: [namespace('b', ['x', 'y']), namespace('a', ['\uffff', '\u{10000}'])] };
  const other = {
    namespaces: [namespace('a', ['\u{10000}', '\uffff']), namespace('b', ['y', 'x'])],
  };
  t.strictSame(encodeRwSet(one), encodeRwSet(other));
  const parsed = parseRwSet(encodeRwSet(one));
  t.strictSame(
    parsed.namespaces.map((set) => [set.namespace, ...set.writes.map(({ key }) => key)]),
    [
      ['a', '\uffff', '\u{10000}'],
      ['b', 'x', 'y'],
    ],
  );
});

t.test('a read-write set survives encoding, range queries and metadata included', async (t) => {
  const rwset = {
    namespaces: [
      {
        ...namespace('notary', ['k']),
        rangeQueries: [
          {
            startKey: 'a',
            endKey: 'z',
            itrExhausted: true,
            rawReads: { kvReads: [{ key: 'k', version: { blockNum: 0n, txNum: 0n } }] },
            readsMerkleHashes: undefined,
          },
        ],
        metadataWrites: [
          { key: 'k', entries: [{ name: 'VALIDATION_PARAMETER', value: utf8('p') }] },
        ],
      },
    ],
  };
  t.strictSame(parseRwSet(encodeRwSet(rwset)), rwset);
});

t.test('a nested set that cannot be read is refused as a whole', async (t) => {
  const refused = { code: 'FORMATS_PROTOBUF_INVALID' };
  const set = (rwset: Uint8Array, hashedRwset?: Uint8Array) => {
    const collections =
      hashedRwset === undefined
        ? []
        : [{ collectionName: 'c', hashedRwset, pvtRwsetHash: utf8('h') }];
    const nsRwset = [{ namespace: 'n', rwset, collectionHashedRwset: collections }];
    return TxReadWriteSet.encode({ nsRwset });
  };
  t.throws(() => parseRwSet(set(utf8('?'))), refused);
  t.throws(() => parseRwSet(set(KvRwSet.encode({}), utf8('?'))), refused, 'a collection');
  const parsed = parseRwSet(set(KvRwSet.encode({}), KvRwSet.encode({})));
  t.equal(parsed.namespaces[0]?.collections?.length, 1);
});
