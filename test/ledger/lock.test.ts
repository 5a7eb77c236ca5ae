import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import t from 'tap';
import { commit, openTestLedger } from './support.ts';
import { temporaryDir } from '../support/temporary-dir.ts';

const program = join(import.meta.dirname, 'writer-process.ts');

t.test('a ledger has one writer', async (t) => {
  const dir = temporaryDir(t);
  {
    await using ledger = await openTestLedger(dir);
    await t.rejects(openTestLedger(dir), { code: 'LEDGER_LOCKED' }, 'not in one process');
    const child = spawn(process.execPath, [program, dir, '1'], { stdio: 'pipe' });
    let errors = '';
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    const [code] = (await once(child, 'close')) as [number];
    t.not(code, 0);
    t.match(errors, 'LEDGER_LOCKED', 'and not in two');
    await commit(ledger, { name: 'a' });
  }
  await using again = await openTestLedger(dir);
  t.equal(again.height, 2n, 'until it is closed');
});

t.test('a closed ledger refuses writes', async (t) => {
  const ledger = await openTestLedger(temporaryDir(t));
  await ledger[Symbol.asyncDispose]();
  await ledger[Symbol.asyncDispose]();
  await t.rejects(commit(ledger, { name: 'a' }), { code: 'LEDGER_CLOSED' });
});
