import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import t from 'tap';
import { openStateReader } from '#ledger';
import type { Ledger, StateChanges, StateReader } from '#ledger';
import { commit, openTestLedger } from './support.ts';
import { temporaryDir } from '../support/temporary-dir.ts';

interface Seen {
  before: bigint;
  pinned: string | undefined;
  height: bigint;
  atLeast: boolean;
  rows: [string, string, bigint][];
}

t.test('another thread sees whole blocks, and only those that it is told of', async (t) => {
  const dir = temporaryDir(t);
  await using ledger = await openTestLedger(dir, { lag: { blocksMax: 4 } });
  await commit(ledger, { name: 'a', writes: [['k', '1']] });
  const worker = new Worker(join(import.meta.dirname, 'reader-thread.ts'), { workerData: dir });
  t.teardown(() => worker.terminate());
  let known: StateChanges | undefined;
  const ask = async () => {
    known = ledger.stateChanges(known);
    worker.postMessage({ height: ledger.height, changes: known });
    const [seen] = (await once(worker, 'message')) as [Seen];
    return seen;
  };
  t.match(await ask(), { height: 2n, rows: [['k', '1', 1n]] });
  for (let block = 2; block < 30; block += 1) {
    await commit(ledger, {
      name: `${block}`,
      writes: [
        ['k', `${block}`],
        ['l', `${block}`],
      ],
    });
    const seen = await ask();
    t.same(
      [seen.before, seen.pinned],
      [BigInt(block), `${block - 1}`],
      'where it was until it is told',
    );
    t.same(seen.rows, [
      ['k', `${block}`, BigInt(block)],
      ['l', `${block}`, BigInt(block)],
    ]);
    t.ok(seen.atLeast);
  }
});

t.test('a reader in the same thread stays at its height until it follows', async (t) => {
  const dir = temporaryDir(t);
  await using ledger = await openTestLedger(dir);
  await using reader = openStateReader(dir);
  await commit(ledger, { name: 'a', writes: [['k', '1']] });
  t.equal(reader.height, 0n, 'on disk is nothing yet');
  t.equal(reader.get('notary', 'k'), undefined);
  reader.follow(ledger.stateChanges());
  t.equal(reader.height, 2n);
  t.ok(reader.get('notary', 'k'));
});

t.test('another process reads what of the state is on disk, beside the writer', async (t) => {
  const dir = temporaryDir(t);
  await using ledger = await openTestLedger(dir, { lag: { blocksMax: 1 } });
  await commit(ledger, { name: 'a', writes: [['k', '1']] });
  await commit(ledger, { name: 'b', writes: [['k', '2']] });
  const source = `import { openStateReader } from '#ledger';
    const reader = openStateReader(process.argv[1]);
    console.log(String(reader.height), Buffer.from(reader.get('notary', 'k').value).toString());`;
  const cwd = join(import.meta.dirname, '..', '..');
  const args = ['--input-type=module', '-e', source, dir];
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd, encoding: 'utf8' });
  t.equal(stdout, '2 1\n', stderr);
});

/** Fixed seed: the series is the same every time. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % below;
  };
}

function sees(reader: StateReader, ledger: Ledger): unknown[] {
  const bounds = [
    ['', ''],
    ['k1', 'k5'],
    ['k3', ''],
    ['', 'ü'],
  ] as const;
  return bounds.flatMap(([start, end]) =>
    [3, 100].map((limit) => [
      reader.range('notary', start, end, limit),
      ledger.range('notary', start, end, limit),
    ]),
  );
}

t.test('a reader that follows sees what the ledger sees, wherever its tables are', async (t) => {
  const dir = temporaryDir(t);
  const next = random(7);
  await using ledger = await openTestLedger(dir, { lag: { blocksMax: 3 } });
  // One is told of every block, one now and then, and one only from the middle on.
  await using always = openStateReader(dir);
  await using seldom = openStateReader(dir);
  let told: StateChanges | undefined;
  let toldSeldom: StateChanges | undefined;
  for (let block = 1; block <= 40; block += 1) {
    const writes = Array.from({ length: 5 }, (): [string, string | undefined] => [
      ['k', 'ü', ''][next(3)]! + String(next(9)),
      next(3) === 0 ? undefined : `${block}`,
    ]);
    await commit(ledger, { name: `${block}`, writes });
    told = ledger.stateChanges(told);
    always.follow(told);
    t.equal(always.height, ledger.height);
    for (const pair of sees(always, ledger)) t.same(...(pair as [unknown, unknown]));
    if (next(5) > 0) continue;
    toldSeldom = ledger.stateChanges(toldSeldom);
    seldom.follow(toldSeldom);
    t.equal(seldom.height, ledger.height);
    for (const pair of sees(seldom, ledger)) t.same(...(pair as [unknown, unknown]));
    await using late = openStateReader(dir);
    late.follow(ledger.stateChanges());
    for (const pair of sees(late, ledger)) t.same(...(pair as [unknown, unknown]));
  }
});

t.test('a reader told of changes above what it knows stays behind them', async (t) => {
  const dir = temporaryDir(t);
  await using ledger = await openTestLedger(dir);
  await using reader = openStateReader(dir);
  await commit(ledger, { name: 'a', writes: [['k', '1']] });
  const missed = ledger.stateChanges();
  await commit(ledger, { name: 'b', writes: [['k', '2']] });
  reader.follow(ledger.stateChanges(missed));
  t.equal(reader.height, 0n, 'the tables on disk have nothing yet');
  t.equal(reader.get('notary', 'k'), undefined);
  reader.follow(ledger.stateChanges());
  t.equal(reader.height, 3n);
});

t.test('a reader whose tables are past the changes says so by its height', async (t) => {
  const dir = temporaryDir(t);
  await using ledger = await openTestLedger(dir, { lag: { blocksMax: 2 } });
  await commit(ledger, { name: 'a', writes: [['k', '1']] });
  const early = ledger.stateChanges();
  await commit(ledger, { name: 'b', writes: [['k', '2']] });
  await commit(ledger, { name: 'c', writes: [['k', '3']] });
  await commit(ledger, { name: 'd', writes: [['k', '4']] });
  await using reader = openStateReader(dir);
  const { height } = reader;
  t.ok(height > early.to, 'opened when the tables had more');
  reader.follow(early);
  t.equal(reader.height, height);
  t.equal(reader.get('notary', 'k')?.version.blockNum, height - 1n, 'nothing older came over it');
});
