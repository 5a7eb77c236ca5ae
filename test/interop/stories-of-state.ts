/** What peers have to see only when they look at the state below a transaction. */
import { emptyBytes, utf8 } from '#base';
import { sha256 } from '#crypto';
import { QueryReads } from '#formats';
import type { KvRead, RangeQueryInfo, Version } from '#formats';
import { write } from '../policy/test-transaction.ts';
import { endorsers } from '../policy/test-validation.ts';
import { read } from './hostile-chain.ts';
import type { HostileChain } from './hostile-chain.ts';

/** Appends the blocks that tell it. */
export type Story = (chain: HostileChain) => void;

const deletion = (key: string) => ({ key, isDelete: true, value: emptyBytes });
const short = { endorsers: endorsers.slice(0, 1) };

export const readStories: Readonly<Record<string, Story>> = {
  'a read is stale once the key was written again': (chain) => {
    const old = chain.seed('stale');
    chain.add(['VALID', chain.notary({ reads: [read('stale', old)], writes: [write('stale')] })]);
    chain.add(
      ['MVCC_READ_CONFLICT', chain.notary({ reads: [read('stale', old)] })],
      ['MVCC_READ_CONFLICT', chain.notary({ reads: [read('stale')] })],
    );
  },

  'a read of what an earlier transaction of the block writes is stale': (chain) => {
    const version = chain.seed('twice', 'spared');
    const reading = (key: string) => chain.notary({ reads: [read(key, version)] });
    chain.add(
      ['VALID', chain.notary({ reads: [read('twice', version)], writes: [write('twice')] })],
      ['MVCC_READ_CONFLICT', reading('twice')],
      ['ENDORSEMENT_POLICY_FAILURE', chain.notary({ writes: [write('spared')] }, short)],
      ['VALID', reading('spared')],
      ['MVCC_READ_CONFLICT', chain.notary({ reads: [read('twice')], writes: [write('spared')] })],
      ['VALID', reading('spared')],
    );
  },

  'no version and version 0,0 are different reads': (chain) => {
    const zero = { blockNum: 0n, txNum: 0n };
    chain.add(
      ['VALID', chain.notary({ reads: [read('nothing')] })],
      ['MVCC_READ_CONFLICT', chain.notary({ reads: [read('nothing', zero)] })],
      ['MVCC_READ_CONFLICT', chain.notary({ reads: [read('nothing', { ...zero, txNum: 1n })] })],
    );
  },

  'a read of the right block and the wrong transaction is stale': (chain) => {
    const version = chain.seed('neighbour');
    chain.add(
      [
        'MVCC_READ_CONFLICT',
        chain.notary({ reads: [read('neighbour', { ...version, txNum: 0n })] }),
      ],
      ['VALID', chain.notary({ reads: [read('neighbour', version)] })],
    );
  },

  'reads are looked at in every namespace, also in those not written to': (chain) => {
    const version = chain.seed('foreign');
    const namespaces = (found: Version) => [
      { namespace: 'notary', reads: [read('foreign', found)] },
      { namespace: 'undefined', reads: [read('anything')] },
      { namespace: 'strict', writes: [write('foreign')] },
    ];
    const of = (found: Version) =>
      chain.transaction({ contract: 'strict', namespaces: namespaces(found) });
    chain.add(['VALID', of(version)], ['MVCC_READ_CONFLICT', of({ ...version, txNum: 7n })]);
  },
};

export const writeStories: Readonly<Record<string, Story>> = {
  'a write of no bytes deletes': (chain) => {
    const version = chain.seed('emptied', 'deleted', 'refilled');
    const emptied = { ...write('emptied'), value: emptyBytes };
    chain.add(
      ['VALID', chain.notary({ writes: [emptied, deletion('deleted')] })],
      ['VALID', chain.notary({ writes: [deletion('refilled')] })],
      ['VALID', chain.notary({ writes: [write('refilled')] })],
      ['VALID', chain.notary({ writes: [deletion('never there')] })],
    );
    const reading = (key: string, at?: Version) => chain.notary({ reads: [read(key, at)] });
    chain.add(
      ['VALID', reading('emptied')],
      ['MVCC_READ_CONFLICT', reading('emptied', version)],
      ['VALID', reading('deleted')],
      ['MVCC_READ_CONFLICT', reading('refilled')],
      ['VALID', reading('refilled', { blockNum: version.blockNum + 1n, txNum: 3n })],
      ['VALID', reading('never there')],
    );
  },

  'a deletion with a value is a deletion': (chain) => {
    chain.seed('both');
    chain.add(['VALID', chain.notary({ writes: [{ ...write('both'), isDelete: true }] })]);
    chain.add(['VALID', chain.notary({ reads: [read('both')] })]);
  },

  'a key written twice in one transaction ends as all peers say': (chain) => {
    const other = (key: string) => ({ ...write(key), value: utf8('other') });
    chain.seed('put put', 'put delete', 'delete put');
    chain.add([
      'VALID',
      chain.notary({
        writes: [
          write('put put'),
          other('put put'),
          write('put delete'),
          deletion('put delete'),
          deletion('delete put'),
          write('delete put'),
        ],
      }),
    ]);
  },

  'keys of any characters are ordered by their bytes': (chain) => {
    const keys = ['\uffff', '\u{10000}', '\ue000', 'é', '\u0000composite\u0000', ' ', '\u{10ffff}'];
    const version = chain.seed(...keys);
    const reads = keys.map((key) => read(key, version));
    chain.add(['VALID', chain.notary({ reads, writes: keys.map(write) })]);
  },

  'a transaction that writes nothing is a transaction': (chain) => {
    chain.add(
      ['VALID', chain.transaction({ namespaces: [] })],
      ['VALID', chain.notary({})],
      ['ENDORSEMENT_POLICY_FAILURE', chain.transaction({ namespaces: [], ...short })],
    );
  },
};

const rangeOf = (
  startKey: string,
  endKey: string,
  found: Partial<RangeQueryInfo>,
): RangeQueryInfo => ({
  startKey,
  endKey,
  itrExhausted: true,
  rawReads: undefined,
  readsMerkleHashes: undefined,
  ...found,
});

const rowsOf = (version: Version, ...keys: string[]): KvRead[] =>
  keys.map((key) => read(key, version));

export const rangeStories: Readonly<Record<string, Story>> = {
  'a range that is as it was read is no phantom': (chain) => {
    const at = chain.seed('row a', 'row b', 'row c');
    const of = (info: RangeQueryInfo) => chain.notary({ rangeQueries: [info] });
    const all = { kvReads: rowsOf(at, 'row a', 'row b', 'row c') };
    const two = { kvReads: rowsOf(at, 'row a', 'row b') };
    chain.add(
      ['VALID', of(rangeOf('row ', 'row z', { rawReads: all }))],
      ['VALID', of(rangeOf('row a', 'row c', { rawReads: two }))],
      ['VALID', of(rangeOf('row ', 'row b', { rawReads: two, itrExhausted: false }))],
      ['VALID', of(rangeOf('row x', 'row z', { rawReads: { kvReads: [] } }))],
      ['VALID', of(rangeOf('row x', 'row z', {}))],
    );
  },

  'a row too few, too many or of another version is a phantom': (chain) => {
    const at = chain.seed('line a', 'line b', 'line c');
    const other = { ...at, txNum: 9n };
    const of = (kvReads: KvRead[], end = 'line z', itrExhausted = true) =>
      chain.notary({
        rangeQueries: [rangeOf('line ', end, { rawReads: { kvReads }, itrExhausted })],
      });
    const all = rowsOf(at, 'line a', 'line b', 'line c');
    chain.add(
      ['PHANTOM_READ_CONFLICT', of(all.slice(1))],
      ['PHANTOM_READ_CONFLICT', of(all.slice(0, 2))],
      ['PHANTOM_READ_CONFLICT', of([])],
      ['PHANTOM_READ_CONFLICT', of([...all, read('line d', at)])],
      ['PHANTOM_READ_CONFLICT', of([...all.slice(0, 2), read('line c', other)])],
      ['PHANTOM_READ_CONFLICT', of(all.slice(0, 2), 'line b', true)],
      ['PHANTOM_READ_CONFLICT', of(all.slice(0, 1), 'line b', false)],
      ['VALID', of(all)],
    );
  },

  'a row that the block adds, changes or deletes is a phantom to those after': (chain) => {
    const at = chain.seed('item a', 'item b');
    const of = () =>
      chain.notary({
        rangeQueries: [
          rangeOf('item ', 'item z', { rawReads: { kvReads: rowsOf(at, 'item a', 'item b') } }),
        ],
      });
    chain.add(
      ['VALID', of()],
      ['VALID', chain.notary({ writes: [write('item z')] })],
      ['VALID', of()],
      ['VALID', chain.notary({ writes: [write('item c')] })],
      ['PHANTOM_READ_CONFLICT', of()],
      ['VALID', chain.notary({ writes: [deletion('item c')] })],
      ['VALID', of()],
      ['VALID', chain.notary({ writes: [deletion('item a')] })],
      ['PHANTOM_READ_CONFLICT', of()],
    );
  },

  'a stale key comes before a phantom': (chain) => {
    const at = chain.seed('first');
    const reads = [read('first', { ...at, txNum: 5n })];
    const rangeQueries = [rangeOf('first', 'first z', { rawReads: { kvReads: [] } })];
    chain.add(
      ['MVCC_READ_CONFLICT', chain.notary({ reads, rangeQueries })],
      ['PHANTOM_READ_CONFLICT', chain.notary({ rangeQueries })],
    );
  },

  'a range may be summed up in hashes': (chain) => {
    const keys = ['a', 'b', 'c', 'd', 'e'].map((name) => `sum ${name}`);
    const at = chain.seed(...keys);
    const rows = rowsOf(at, ...keys);
    const hash = (kvReads: KvRead[]) => sha256(QueryReads.encode({ kvReads }));
    const of = (maxLevelHashes: Uint8Array[], maxLevel = 1) =>
      chain.notary({
        rangeQueries: [
          rangeOf('sum ', 'sum z', {
            readsMerkleHashes: { maxDegree: 2, maxLevel, maxLevelHashes },
          }),
        ],
      });
    const [first, last] = [hash(rows.slice(0, 3)), hash(rows.slice(3))];
    chain.add(
      ['VALID', of([first, last])],
      ['PHANTOM_READ_CONFLICT', of([first])],
      ['PHANTOM_READ_CONFLICT', of([last, first])],
      ['PHANTOM_READ_CONFLICT', of([first, last], 2)],
    );
  },
};
