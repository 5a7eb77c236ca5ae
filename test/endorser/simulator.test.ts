import t from 'tap';
import { textOf, utf8 } from '#base';
import { parseRwSet } from '#formats';
import { Simulator } from '../../endorser/simulator.ts';
import type { StateSource } from '../../endorser/simulator.ts';

/** A world state in a map; every entry has the version {7, index}. */
function source(entries: Record<string, string>): StateSource {
  const rows = Object.keys(entries)
    .sort()
    .map((key, index) => ({
      key,
      value: utf8(entries[key] ?? ''),
      version: { blockNum: 7n, txNum: BigInt(index) },
    }));
  return {
    get: (_namespace, key) => rows.find((row) => row.key === key),
    range: (_namespace, start, end, limit) =>
      rows.filter(({ key }) => key >= start && (end === '' || key < end)).slice(0, limit),
  };
}

function sets(simulator: Simulator) {
  const [namespace] = parseRwSet(simulator.readWriteSet()).namespaces;
  return namespace ?? { namespace: '', reads: [], writes: [], rangeQueries: [] };
}

function texts(rows: [string, Uint8Array][]): string[] {
  return rows.map(([key, value]) => `${key}=${textOf(value)}`);
}

t.test('a read is recorded with its version, and an absent key without one', async (t) => {
  const simulator = new Simulator(source({ a: '1' }));
  t.same(simulator.get('ns', 'a'), utf8('1'));
  t.equal(simulator.get('ns', 'b'), undefined);
  t.same(sets(simulator).reads, [
    { key: 'a', version: { blockNum: 7n, txNum: 0n } },
    { key: 'b', version: undefined },
  ]);
});

t.test('a request sees what earlier requests of its bundle wrote, without a read', async (t) => {
  const simulator = new Simulator(source({ a: '1' }));
  simulator.put('ns', 'a', utf8('2'));
  simulator.delete('ns', 'gone');
  t.same(simulator.get('ns', 'a'), utf8('2'));
  t.equal(simulator.get('ns', 'gone'), undefined);
  t.same(sets(simulator).reads, []);
});

t.test('a rollback undoes the writes since its savepoint and no other', async (t) => {
  const simulator = new Simulator(source({}));
  simulator.put('ns', 'kept', utf8('1'));
  const savepoint = simulator.savepoint();
  simulator.put('ns', 'kept', utf8('2'));
  simulator.put('ns', 'lost', utf8('3'));
  simulator.delete('ns', 'kept');
  simulator.get('ns', 'seen');
  simulator.rollback(savepoint);
  t.same(sets(simulator).writes, [{ key: 'kept', isDelete: false, value: utf8('1') }]);
  t.same(
    sets(simulator).reads.map(({ key }) => key),
    ['seen'],
    'what the failed request read stays: its failure rests on it',
  );
});

t.test('a range sees own writes and deletions merged in order', async (t) => {
  const simulator = new Simulator(source({ a: '1', c: '3', e: '5' }));
  simulator.put('ns', 'b', utf8('2'));
  simulator.put('ns', 'z', utf8('26'));
  simulator.delete('ns', 'c');
  t.same(texts(simulator.range('ns', 'a', 'f', 10)), ['a=1', 'b=2', 'e=5']);
  const [query] = sets(simulator).rangeQueries;
  t.equal(query?.itrExhausted, true);
  t.equal(query?.endKey, 'f');
  t.same(
    query?.rawReads?.kvReads.map(({ key }) => key),
    ['a', 'c', 'e'],
    'the committed rows are recorded as they were',
  );
});

t.test('a range cut by its limit is recorded up to the last key seen', async (t) => {
  const simulator = new Simulator(source({ a: '1', b: '2', c: '3' }));
  simulator.put('ns', 'bb', utf8('own, but past the last key that was seen'));
  t.same(texts(simulator.range('ns', '', '', 2)), ['a=1', 'b=2']);
  const [query] = sets(simulator).rangeQueries;
  t.equal(query?.itrExhausted, false);
  t.equal(query?.endKey, 'b');
});

t.test('the same steps give the same bytes, whatever their order was', async (t) => {
  const keys = ['b', 'a', 'ÿ', '\u{10000}', '\uFFFD'];
  const bytes = [keys, keys.toReversed()].map((order) => {
    const simulator = new Simulator(source({}));
    for (const key of order) simulator.put('ns', key, utf8(key));
    for (const key of order) simulator.get('other', key);
    return simulator.readWriteSet();
  });
  t.same(bytes[0], bytes[1]);
});
