import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { temporaryDir } from '../support/temporary-dir.ts';

const base = join(import.meta.dirname, '..', '..', 'base', 'index.ts');
const dir = temporaryDir(t);

/** Ends of a program whose main is this. */
function ending(main: string): Promise<{ status: number; line: Record<string, unknown> }> {
  const program = join(dir, 'program.ts');
  writeFileSync(
    program,
    `import { declareFaults, runMain, stopOnSignals } from '${base}';
     const fault = declareFaults({
       TEST_FILE_WRONG: ['malformed', 'The file is wrong.'],
       TEST_TOKEN_AWAY: ['broken', 'The token is away.'],
     });
     await runMain('tester', async () => { ${main} });`,
  );
  return new Promise((resolve) => {
    execFile(process.execPath, [program], (error, stdout) => {
      const line = stdout === '' ? {} : (JSON.parse(stdout) as Record<string, unknown>);
      resolve({ status: typeof error?.code === 'number' ? error.code : 0, line });
    });
  });
}

t.test('a fault that stays ends the process with status 2 and is in its log', async (t) => {
  t.match(await ending(`throw fault('TEST_FILE_WRONG', { file: 'a' });`), {
    status: 2,
    line: { level: 60, part: 'tester', code: 'TEST_FILE_WRONG', file: 'a' },
  });
});

t.test('what may pass ends it with status 1', async (t) => {
  const away = await ending(`throw fault('TEST_TOKEN_AWAY');`);
  t.match(away, { status: 1, line: { code: 'TEST_TOKEN_AWAY', msg: 'The token is away.' } });
  const inside = await ending(`throw new TypeError('no such thing');`);
  t.match(inside, { status: 1, line: { err: { message: 'no such thing' } } });
});

t.test('a signal has the process close what it holds, once', async (t) => {
  const main = `
    setInterval(() => {}, 1_000);
    stopOnSignals(async () => { process.stdout.write('{"closed":true}'); });
    process.kill(process.pid, 'SIGTERM');
    process.kill(process.pid, 'SIGINT');`;
  t.same(await ending(main), { status: 0, line: { closed: true } });
});
