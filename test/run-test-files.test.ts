import { throws } from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { runTestFiles } from '../scripts/run-test-files.ts';
import { eventually } from './support/eventually.ts';
import { startChildrenPlainly } from './support/plain-children.ts';

startChildrenPlainly();

/** What the runner says of a test file with this program in it, which prints its TAP itself. */
async function resultOf(program: string, secondsMax = 60): Promise<string> {
  const projectDir = mkdtempSync(join(tmpdir(), 'countersign-runner-'));
  t.teardown(() => rmSync(projectDir, { recursive: true }));
  writeFileSync(join(projectDir, 'a.test.js'), program);
  const lines: string[] = [];
  const { signal } = new AbortController();
  const line = (text: string) => lines.push(text);
  await runTestFiles({ projectDir, files: ['a.test.js'], jobs: 1, secondsMax, line, signal });
  return lines.join('\n');
}

t.test('a file whose tests have all run is good, and told whole', async (t) => {
  const result = await resultOf("console.log('ok 1 - one\\nok 2 - two\\n1..2')");
  t.match(
    result,
    /^# Subtest: a\.test\.js\n {4}ok 1 - one\n {4}ok 2 - two\n {4}1\.\.2\nok - a\.test/,
  );
});

t.test('a file that ends well without all its tests has failed', async (t) => {
  for (const tap of ['', '1..2\\nok 1 - one', 'ok 1 - one', '1..0']) {
    const result = await resultOf(`console.log('${tap}')`);
    t.match(result, /^not ok - a\.test\.js \(ended without all its tests/m, tap);
  }
});

t.test('a file that ends badly after good tests has failed', async (t) => {
  const good = "console.log('ok 1 - one\\n1..1');";
  t.match(await resultOf(`${good} process.exitCode = 3`), /^not ok .*exit status 3/m);
  t.match(await resultOf(`${good} process.kill(process.pid)`), /^not ok .*SIGTERM/m);
});

t.test('what a file that died had started ends with it', async (t) => {
  const result = await resultOf(`
    const { spawn } = require('node:child_process');
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e6)'], { stdio: 'inherit' });
    console.log('# ' + child.pid);
    process.kill(process.pid, 'SIGKILL');`);
  const pid = Number(/# (\d+)/.exec(result)?.[1]);
  t.match(result, /^not ok .*SIGKILL/m);
  await eventually(() => throws(() => process.kill(pid, 0), { code: 'ESRCH' }));
});

t.test('a file that hangs is ended', async (t) => {
  const result = await resultOf("console.log('ok 1 - one\\n1..1'); setInterval(() => {}, 1e6)", -4);
  t.match(result, /^not ok .*SIGALRM/m);
});
