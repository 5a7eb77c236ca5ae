/** Encodings that stock peers stop at, or tell apart. The numbers are those of docs/FABRIC.md. */
import t from 'tap';
import { emptyBytes, toHex, utf8 } from '#base';
import {
  BlockHeader,
  KvRead,
  OrdererBlockMetadata,
  SeekPosition,
  StateData,
  Version,
  blockMetadata,
  definitionWrites,
  encodeRwSet,
  lifecycleKeys,
  signaturesValue,
} from '#formats';

const facts = { lastConfigIndex: 0n };

t.test('P8 the metadata of a block has five entries', async (t) => {
  t.equal(blockMetadata(facts, signaturesValue(facts), []).length, 5);
});

t.test('P14 the largest block number is told from its neighbours', async (t) => {
  for (const number of [2n ** 53n, 2n ** 53n + 1n, 2n ** 64n - 1n]) {
    t.equal(Version.decode(Version.encode({ blockNum: number })).blockNum, number);
    t.equal(BlockHeader.decode(BlockHeader.encode({ number })).number, number);
    const seek = { ...SeekPosition.initial(), specified: { number } };
    t.equal(SeekPosition.decode(SeekPosition.encode(seek)).specified?.number, number);
  }
});

t.test('P15 what is there and empty is written, what is absent is not', async (t) => {
  const zero = { blockNum: 0n, txNum: 0n };
  t.equal(toHex(KvRead.encode({ key: 'k', version: zero })), '0a016b1200');
  t.equal(toHex(KvRead.encode({ key: 'k', version: undefined })), '0a016b');
  t.equal(toHex(StateData.encode({ bytes: emptyBytes })), '1200');
  t.equal(toHex(OrdererBlockMetadata.encode({ lastConfig: { index: 0n } })), '0a00');
  t.equal(OrdererBlockMetadata.decode(signaturesValue(facts)).lastConfig?.index, 0n);
});

t.test('P15 a definition without collections has the empty ones in it', async (t) => {
  const definition = { name: 'notary', version: '1', sequence: 1n, applicationPolicy: utf8('p') };
  const key = lifecycleKeys.field('notary', 'Collections');
  const found = definitionWrites(definition).find((write) => write.key === key);
  t.equal(toHex(found!.value), '1200');
});

t.test('P18 two endorsers that saw the same in another order sign the same bytes', async (t) => {
  const set = (namespace: string, ...keys: string[]) => ({
    namespace,
    reads: keys.map((key) => ({ key, version: undefined })),
    rangeQueries: [],
    writes: keys.map((key) => ({ key, isDelete: false, value: utf8(key) })),
    metadataWrites: [],
  });
  const one = encodeRwSet({ namespaces: [set('a', 'x', '\uffff', '\u{10000}'), set('b', 'y')] });
  const other = encodeRwSet({ namespaces: [set('b', 'y'), set('a', '\u{10000}', 'x', '\uffff')] });
  t.equal(toHex(one), toHex(other));
});
