import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { statfsSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { commit, openTestLedger, write, fingerprint } from './support.ts';
import { temporaryDir } from '../support/temporary-dir.ts';

/** A process's file size limit stands in for the disk: it can be taken away again by anyone. */
const limitBlocks = 512;

async function runLimited(dir: string, mode: string, limitKiB: number): Promise<string[]> {
  const program = join(import.meta.dirname, 'full-disk-process.ts');
  const child = spawn(
    'sh',
    ['-c', `ulimit -S -f ${limitKiB}; exec "$@"`, 'sh', process.execPath, program, dir, mode],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString();
    if (!said.endsWith('full\n')) return;
    execFileSync('prlimit', ['--fsize=unlimited', '--pid', `${child.pid}`]);
    child.stdin.write('go\n');
  });
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  said += code === 0 ? '' : `ended with ${code ?? signal}`;
  return said.trim().split('\n');
}

for (const mode of ['blocks', 'tables']) {
  t.test(`a disk that fills up under the ${mode} records nothing by halves`, async (t) => {
    const dir = temporaryDir(t);
    // dash counts in units of 512 bytes, others in KiB: both are small enough to be reached.
    const lines = await runLimited(dir, mode, limitBlocks);
    t.match(
      lines,
      ['LEDGER_DISK_FULL', 'same', 'full', 'recovered'],
      'refused, unchanged, goes on',
    );
    await using ledger = await openTestLedger(dir);
    t.equal(lines.at(-1), `height ${ledger.height}`);
  });
}

t.test('a disk too full to finish a block does not begin one', async (t) => {
  const dir = temporaryDir(t);
  const { bavail, bsize } = statfsSync(dir);
  {
    await using ledger = await openTestLedger(dir);
    await write(ledger, { name: 'a' });
  }
  await using ledger = await openTestLedger(dir, { diskReserveBytes: bavail * bsize * 2 });
  const was = fingerprint(ledger);
  await t.rejects(write(ledger, { name: 'b' }), { code: 'LEDGER_DISK_FULL', kind: 'busy' });
  await t.rejects(commit(ledger, { name: 'b' }), { code: 'LEDGER_DISK_FULL' });
  t.same(fingerprint(ledger), was);
});
