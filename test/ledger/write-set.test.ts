import t from 'tap';
import { textOf, toHex, utf8 } from '#base';
import { KvMetadataWrite, validationCodes } from '#formats';
import { removed } from '../../ledger/recent-entries.ts';
import { metadataSeenKey } from '../../ledger/state.ts';
import { flushStore, openStore } from '../../ledger/store.ts';
import { commit, openTestLedger, versionOf } from './support.ts';
import { temporaryDir } from '../support/temporary-dir.ts';

const { MVCC_READ_CONFLICT } = validationCodes;

t.test('an empty value deletes, whatever the flag says', async (t) => {
  await using ledger = await openTestLedger(temporaryDir(t));
  await commit(ledger, { name: 'x', writes: [['a', '1']] });
  await commit(ledger, {
    name: 'y',
    rwset: {
      namespaces: [
        {
          namespace: 'notary',
          reads: [],
          rangeQueries: [],
          writes: [{ key: 'a', isDelete: false, value: new Uint8Array(0) }],
          metadataWrites: [],
        },
      ],
    },
  });
  t.equal(ledger.get('notary', 'a'), undefined);
});

t.test('metadata has the versions and survives the writes that Fabric says', async (t) => {
  await using ledger = await openTestLedger(temporaryDir(t));
  const bytes = (value: string) =>
    toHex(
      KvMetadataWrite.encode({ entries: [{ name: 'VALIDATION_PARAMETER', value: utf8(value) }] }),
    );
  const shown = () => {
    const entry = ledger.get('notary', 'a');
    return entry && [textOf(entry.value), entry.version, entry.metadata && toHex(entry.metadata)];
  };
  await commit(ledger, { name: '0', metadata: [['a', 'm']] });
  t.equal(shown(), undefined, 'metadata alone makes no key');
  await commit(ledger, { name: '1', writes: [['a', '1']], metadata: [['a', 'm']] });
  t.same(shown(), ['1', versionOf([2, 0]), bytes('m')]);
  await commit(ledger, { name: '2', writes: [['a', '2']] });
  t.same(shown(), ['2', versionOf([3, 0]), bytes('m')], 'a value keeps the metadata');
  await commit(ledger, { name: '3', metadata: [['a', 'n']] });
  t.same(
    shown(),
    ['2', versionOf([4, 0]), bytes('n')],
    'metadata keeps the value, not the version',
  );
  await commit(ledger, { name: '4', metadata: [['a', undefined]] });
  t.same(shown(), ['2', versionOf([5, 0]), undefined]);
  await commit(
    ledger,
    { name: '5', metadata: [['a', 'o']] },
    { name: '6', reads: [['a', [5, 0]]] },
    { name: '7', writes: [['a', '3']] },
  );
  t.same(shown(), ['3', versionOf([6, 2]), bytes('o')], 'within one block too');
  t.same(ledger.block(6n)?.metadata?.metadata[2], [0, MVCC_READ_CONFLICT, 0]);
  await commit(ledger, { name: '8', writes: [['a', undefined]], metadata: [['a', 'p']] });
  t.equal(shown(), undefined, 'a delete beats metadata');
});

t.test('a key written twice by one transaction is merged as stock peers merge it', async (t) => {
  await using ledger = await openTestLedger(temporaryDir(t));
  const twice: [string, string][] = [
    ['a', '1'],
    ['a', '2'],
  ];
  await commit(ledger, { name: 'x', writes: twice });
  t.equal(ledger.get('notary', 'a'), undefined, 'two puts add up to a metadata update of nothing');
  await commit(ledger, { name: 'y', writes: [['a', '0']] });
  await commit(ledger, { name: 'z', writes: twice });
  t.same(ledger.get('notary', 'a'), { value: utf8('0'), version: versionOf([3, 0]) });
});

t.test('keys are in the order of their bytes, not of their UTF-16', async (t) => {
  await using ledger = await openTestLedger(temporaryDir(t));
  const keys = ['', '\0composite\0', 'a', 'ab', 'é', '\u{ff5e}', '\u{1f600}'];
  await commit(ledger, { name: 'x', writes: keys.map((key) => [key, 'v'] as [string, string]) });
  const rows = ledger.range('notary', '', '', 100);
  t.same(
    rows.map(({ key }) => key),
    keys,
  );
  t.same(
    ledger.range('notary', 'ab', '\u{1f600}', 100).map(({ key }) => key),
    ['ab', 'é', '\u{ff5e}'],
  );
  t.equal(ledger.range('notary', '', '', 2).length, 2);
  t.same(ledger.range('notar', '', '', 9), [], 'a namespace does not see its neighbour');
  t.same(ledger.range('notary', 'b'.repeat(5_000), '', 9).length, 3, 'bounds may be of any length');
});

t.test(
  'metadata of a namespace is kept by later writes, also after a restart and behind another',
  async (t) => {
    const dir = temporaryDir(t);
    const metadataOf = async (from: 'restart' | 'oldTables', index: number) => {
      if (from === 'oldTables') markAsOldTables(dir);
      await using ledger = await openTestLedger(dir);
      await commit(ledger, { name: `other ${index}`, namespace: 'other', writes: [['a', 'x']] });
      await commit(ledger, { name: `own ${index}`, writes: [['a', `${index}`]] });
      t.equal(ledger.get('other', 'a')?.metadata, undefined);
      return ledger.get('notary', 'a')?.metadata;
    };
    {
      await using ledger = await openTestLedger(dir);
      await commit(ledger, { name: '0', namespace: 'other', writes: [['a', 'x']] });
      await commit(ledger, { name: '1', writes: [['a', '1']], metadata: [['a', 'm']] });
    }
    t.ok(await metadataOf('restart', 2), 'a write after a restart keeps it');
    t.ok(await metadataOf('oldTables', 3), 'as in tables that tell no namespaces apart');
  },
);

/** Leaves the one mark that tables had before namespaces were told apart. */
function markAsOldTables(dir: string): void {
  const store = openStore(dir);
  store.meta.put(metadataSeenKey('notary'), removed);
  store.meta.put('metadata', Buffer.of(1));
  flushStore(dir, store);
  void store.root.close();
}
