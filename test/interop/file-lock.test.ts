import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { withFileLock } from './file-lock.ts';

t.test('two that want one lock work one after the other', async (t) => {
  const file = join(t.testdir(), 'lock');
  let inside = 0;
  const work = async () => {
    inside += 1;
    t.equal(inside, 1);
    await sleep(20);
    inside -= 1;
  };
  await Promise.all([withFileLock(file, 5_000, work), withFileLock(file, 5_000, work)]);
  t.notOk(existsSync(file));
});

t.test('the lock of a process that is gone is taken over', async (t) => {
  const gone = spawnSync(process.execPath, ['--version']).pid;
  const file = join(t.testdir({ lock: String(gone) }), 'lock');
  let worked = false;
  await withFileLock(file, 5_000, async () => {
    worked = true;
  });
  t.ok(worked);
});

t.test('the lock of a process that lives is waited for no longer than asked', async (t) => {
  const file = join(t.testdir(), 'lock');
  writeFileSync(file, String(process.pid));
  await t.rejects(
    withFileLock(file, 100, async () => {}),
    /held for too long/,
  );
});

t.test('work that fails lets the lock go', async (t) => {
  const file = join(t.testdir(), 'lock');
  const work = () => Promise.reject(new Error('no'));
  await t.rejects(withFileLock(file, 100, work), /no/);
  t.notOk(existsSync(file));
});
