import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import t from 'tap';
import { openStateReader } from '#ledger';
import { commit, openTestLedger, plainNode, temporaryDir } from './support.ts';

interface Seen {
  before: bigint;
  pinned: string | undefined;
  height: bigint;
  atLeast: boolean;
  rows: [string, string, bigint][];
}

t.test('another thread sees whole blocks, and only when it asks for newer ones', async (t) => {
  const dir = temporaryDir(t);
  await using ledger = await openTestLedger(dir);
  await commit(ledger, { name: 'a', writes: [['k', '1']] });
  const worker = new Worker(join(import.meta.dirname, 'reader-thread.ts'), { workerData: dir });
  t.teardown(() => worker.terminate());
  const ask = async () => {
    worker.postMessage(ledger.height);
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
    t.same([seen.before, seen.pinned], [BigInt(block), `${block - 1}`], 'pinned until refreshed');
    t.same(seen.rows, [
      ['k', `${block}`, BigInt(block)],
      ['l', `${block}`, BigInt(block)],
    ]);
    t.ok(seen.atLeast);
  }
});

t.test('a reader in the same thread stays at its height until it is refreshed', async (t) => {
  const dir = temporaryDir(t);
  await using ledger = await openTestLedger(dir);
  await using reader = openStateReader(dir);
  await commit(ledger, { name: 'a', writes: [['k', '1']] });
  t.equal(reader.height, 1n);
  t.equal(reader.get('notary', 'k'), undefined);
  reader.refresh();
  t.equal(reader.height, 2n);
  t.ok(reader.get('notary', 'k'));
});

t.test('another process reads beside the writer', async (t) => {
  const dir = temporaryDir(t);
  await using ledger = await openTestLedger(dir);
  await commit(ledger, { name: 'a', writes: [['k', '1']] });
  const source = `import { openStateReader } from '#ledger';
    const reader = openStateReader(process.argv[1]);
    console.log(String(reader.height), Buffer.from(reader.get('notary', 'k').value).toString());`;
  const cwd = join(import.meta.dirname, '..', '..');
  const args = ['--input-type=module', '-e', source, dir];
  const { stdout, stderr } = spawnSync('env', plainNode([], args), { cwd, encoding: 'utf8' });
  t.equal(stdout, '2 1\n', stderr);
});
