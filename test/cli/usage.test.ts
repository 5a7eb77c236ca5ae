import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { readArguments } from '../../cli/arguments.ts';
import { commands, usage } from '../../cli/commands.ts';
import { temporaryDir } from '../support/temporary-dir.ts';

const projectDir = join(import.meta.dirname, '..', '..');

/** Runs a command as the command line would, but without its network. */
async function run(...words: string[]): Promise<unknown> {
  const given = readArguments(words);
  const command = commands.get(given.words.slice(0, 2).join(' '));
  return command?.run({ ...given, words: given.words.slice(2) }, () => {});
}

t.test('a command line that is not understood says what is wrong with it', async (t) => {
  const dir = join(temporaryDir(t), 'network');
  const cases: readonly [words: string[], detail: Record<string, unknown>][] = [
    [['network', 'create', '--mode', 'random'], { mode: 'random' }],
    [['network', 'create', '--requests-per-bundle', '0'], { '--requests-per-bundle': '0' }],
    [['network', 'create', '--requests-per-bundle', '1e3'], { '--requests-per-bundle': '1e3' }],
    [['network', 'create', '--requests-per-bundle', '1001'], { max: 1000 }],
    [['client', 'new', '--grant', 'main/notary/*'], { missing: 'NAME' }],
    [['client', 'new', 'alice'], { missing: '--grant' }],
    [['client', 'new', 'alice', '--grant', 'main/notary'], { grant: 'main/notary' }],
    [['client', 'new', 'alice', '--alg', 'HS256', '--grant', 'a/b/c'], { alg: 'HS256' }],
    [['contract', 'deploy', 'notary', 'notary', '--sequence', '-1'], {}],
    [['receipt', 'verify', 'receipt.json'], { missing: '--genesis' }],
    [['client', 'list', '--colour', 'red'], {}],
  ];
  for (const [words, detail] of cases) {
    await t.rejects(
      run(...words, '--dir', dir),
      { code: 'CLI_USAGE_WRONG', detail },
      words.join(' '),
    );
  }
});

t.test('what a command names must be there', async (t) => {
  const parent = temporaryDir(t);
  const dir = join(parent, 'network');
  const file = join(parent, 'file.json');
  writeFileSync(file, '{}');
  const missing = { code: 'CLI_NETWORK_MISSING' };
  await t.rejects(run('client', 'list', '--dir', dir), missing);
  await t.rejects(run('block', 'show', '1', '--dir', dir), missing);
  await t.rejects(run('receipt', 'verify', `${file}x`, '--genesis', file), { code: /^FORMATS_/ });
  const unreadable = { code: 'CLI_FILE_UNREADABLE' };
  await t.rejects(run('receipt', 'verify', file, '--genesis', `${file}x`), unreadable);
  await t.rejects(run('contract', 'deploy', 'a', `${file}.wasm`, '--dir', dir), unreadable);
  const deep = join(dir, 'd'.repeat(100));
  await t.rejects(run('network', 'create', '--dir', deep), { code: 'CLI_PATH_TOO_LONG' });
});

t.test('README and docs name commands that there are', (t) => {
  const docs = ['README.md', 'docs/OPERATING.md', 'docs/FABRIC.md', 'docs/CONTRACTS.md'];
  for (const file of docs) {
    const text = readFileSync(join(projectDir, file), 'utf8');
    // In code only: a sentence may speak of countersign without meaning a command.
    for (const [, words = ''] of text.matchAll(
      /(?:^ *|`)(?:npx )?countersign ([a-z]+(?: [a-z]+){0,2})/gm,
    )) {
      const parts = words.split(' ');
      const known = [1, 2, 3].some((count) => commands.has(parts.slice(0, count).join(' ')));
      t.ok(known, `${file}: countersign ${words}`);
    }
  }
  t.end();
});

t.test('the usage names every command', async (t) => {
  for (const words of commands.keys()) t.match(usage(), `countersign ${words} `);
});
