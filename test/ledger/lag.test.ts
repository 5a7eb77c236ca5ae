import { cpSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { Test } from 'tap';
import { openStateReader } from '#ledger';
import type { Ledger } from '#ledger';
import {
  believe,
  commit,
  fingerprint,
  openTestLedger,
  requestIdOf,
  txIdOf,
  write,
} from './support.ts';
import { temporaryDir } from '../support/temporary-dir.ts';

/** What a kill at this moment would leave, as a copy. */
function killedCopy(t: Test, dir: string): string {
  const copy = join(temporaryDir(t), 'copy');
  cpSync(dir, copy, { recursive: true, filter: (path) => !path.endsWith('lock.mdb') });
  return copy;
}

async function writeBlock(ledger: Ledger, block: number): Promise<void> {
  await write(ledger, {
    name: `t${block}`,
    writes: [
      ['k', `${block}`],
      [`k${block}`, 'v'],
      [`k${block - 2}`, undefined],
    ],
    requests: [`a.${block}.c`, `b.${block}.c`],
  });
}

/** How many blocks the tables on disk have. */
async function blocksOnDisk(dir: string): Promise<bigint> {
  await using reader = openStateReader(dir);
  return reader.height;
}

for (const blocksMax of [1, 2, 3, 5, 100]) {
  t.test(`a ledger killed with tables ${blocksMax} blocks behind comes back whole`, async (t) => {
    const dir = temporaryDir(t);
    await using ledger = await openTestLedger(dir, { lag: { blocksMax } });
    for (let block = 1; block <= 12; block += 1) {
      await writeBlock(ledger, block);
      if (block % 3 !== 0) continue;
      const copy = killedCopy(t, dir);
      let replayed = 0;
      const validate: typeof believe = (...args) => {
        replayed += 1;
        return believe(...args);
      };
      const behind = ledger.height - (await blocksOnDisk(copy));
      await using again = await openTestLedger(copy, { validate });
      t.same(fingerprint(again), fingerprint(ledger), `at block ${block}`);
      t.ok(replayed <= blocksMax, `${replayed} blocks replayed`);
      t.ok(behind <= BigInt(blocksMax), `${behind} blocks behind`);
      for (let one = 1; one <= block; one += 1) {
        const request = requestIdOf(`a.${one}.c`);
        t.same(again.request(request), ledger.request(request));
        t.same(again.receiptParts(request), ledger.receiptParts(request));
        t.same(again.transaction(txIdOf(`t${one}`)), ledger.transaction(txIdOf(`t${one}`)));
      }
    }
  });
}

t.test('a closed ledger has nothing to replay', async (t) => {
  const dir = temporaryDir(t);
  {
    await using ledger = await openTestLedger(dir);
    for (let block = 1; block <= 5; block += 1) await writeBlock(ledger, block);
    t.equal(await blocksOnDisk(dir), 0n, 'as long as it is open, its tables lag');
  }
  t.equal(await blocksOnDisk(dir), 6n);
  const validate = () => t.fail('nothing is to be validated');
  await using again = await openTestLedger(dir, { validate: validate as never });
  t.equal(again.height, 6n);
});

t.test('what is only in memory is found, refused a second time, and conflicts', async (t) => {
  await using ledger = await openTestLedger(temporaryDir(t));
  await commit(ledger, { name: 'a', writes: [['k', '1']], requests: ['a.1.c'] });
  t.ok(ledger.hasRequest(requestIdOf('a.1.c')));
  t.ok(ledger.hasTransaction(txIdOf('a')));
  const { codes } = await commit(
    ledger,
    { name: 'a', writes: [['k', '2']] },
    { name: 'b', reads: [['k', undefined]], writes: [['k', '3']] },
    { name: 'c', reads: [['k', [1, 0]]], writes: [['k', undefined]] },
  );
  t.same([...codes], [9, 11, 0], 'duplicate, conflict, valid');
  t.equal(ledger.get('notary', 'k'), undefined);
  t.same(ledger.range('notary', '', '', 10), []);
});

t.test('tables catch up after so many entries, and after so many bytes', async (t) => {
  const bounds = [
    { lag: { entriesMax: 30 }, value: 'v' },
    { lag: { bytesMax: 20_000 }, value: 'v'.repeat(4_000) },
  ];
  for (const { lag, value } of bounds) {
    const dir = temporaryDir(t);
    await using ledger = await openTestLedger(dir, { lag });
    const heights: bigint[] = [];
    for (let block = 1; block <= 20; block += 1) {
      await commit(ledger, { name: `${block}`, writes: [[`k${block}`, value]] });
      heights.push(await blocksOnDisk(dir));
    }
    t.equal(heights[0], 0n, 'not at once');
    t.ok((heights.at(-1) ?? 0n) > 10n, `${heights.at(-1)} blocks on disk`);
    t.ok(new Set(heights).size < 10, 'many together');
  }
});
