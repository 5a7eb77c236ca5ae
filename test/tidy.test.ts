import { readFileSync } from 'node:fs';
import t from 'tap';
import { engineNames } from './tidy/engine.ts';
import { unknownFolder, wrongImport } from './tidy/floors.ts';
import * as rules from './tidy/rules.ts';
import type { Finding } from './tidy/rules.ts';
import { lineAt, projectDir, projectPaths, readSource, sourceOf } from './tidy/source-files.ts';
import type { SourceFile } from './tidy/source-files.ts';

const files = projectPaths('.ts', '.js').map(readSource);

const checks: Readonly<Record<string, (file: SourceFile) => Finding[]>> = {
  'every folder stands on a floor': unknownFolder,
  'imports go down, through doors, and to declared packages': wrongImport,
  'keys, custody and contracts know no chain engine': engineNames,
  'files and functions are short': rules.tooLong,
  'names are kebab-case and say something': rules.badName,
  'nothing is exported as default': rules.defaultExport,
  'only the clock reads the time': rules.ownClock,
  'only the start of a process reads its environment or ends it': rules.ownEnvironment,
  'no comment leaves work for later': rules.unfinished,
  'no test excludes the others': rules.onlyTest,
  'no test file bounds its own time': rules.ownTimeout,
  'faults are declared where their register finds them': rules.scatteredFaults,
};

for (const [title, check] of Object.entries(checks)) {
  t.test(title, async (t) => {
    t.strictSame(
      files.flatMap((file) => placesOf(file.path, check(file))),
      [],
    );
  });
}

t.test('the files speak of the project and not of how it was made', async (t) => {
  const foreign = [/\/work\/\w/, /\bshared\/(design|spike|vectors|hooks)\b/, /\bCEO\b/, /\bAI[- ]/];
  const texts = projectPaths('.ts', '.js', '.md', '.json', '.yaml', '.proto').filter(
    (path) => path !== 'test/tidy.test.ts' && path !== 'package-lock.json',
  );
  const findings = texts.flatMap((path) => {
    const text = readFileSync(`${projectDir}/${path}`, 'utf8');
    const matches = foreign.flatMap((word) => [...text.matchAll(new RegExp(word, 'g'))]);
    return placesOf(
      path,
      matches.map(({ 0: word, index }) => ({ line: lineAt(text, index), rule: `says "${word}"` })),
    );
  });
  t.strictSame(findings, []);
});

t.test('each rule finds what it is for', async (t) => {
  const found = (path: string, text: string) =>
    Object.values(checks).flatMap((check) => placesOf(path, check(sourceOf(path, text))));
  const cases: readonly [path: string, text: string, place: string][] = [
    [
      'ledger/a.ts',
      "import { x } from '#policy';",
      'ledger/a.ts:1 imports go to lower floors only',
    ],
    ['crypto/a.ts', "\nimport type { X } from '#formats';", 'crypto/a.ts:2 imports go to lower'],
    ['ledger/a.ts', "import { x } from '../base/a.ts';", 'another folder is entered by its door'],
    ['test/crypto/a.test.ts', "import { x } from '../../hsm/a.ts';", 'entered by its door'],
    ['peer/a.ts', "import { x } from '#wasm';", 'peer/ must not reach this'],
    ['endorser/a.ts', "const x = await import('pkcs11js');", 'endorser/ must not reach this'],
    ['wasm/a.ts', "import { x, Envelope } from '#formats';", 'wasm/a.ts:1 names Fabric’s Envelope'],
    ['hsm/a.ts', "import type { KvRwSet } from '#formats';", 'names Fabric’s KvRwSet'],
    ['base/a.ts', "import { readFileSync } from 'fs';", 'imported by its node: name'],
    ['base/a.ts', "import t from 'tap';", 'package.json names no such dependency'],
    ['stuff/a.ts', '', 'the folder stuff/ stands on no floor'],
    ['base/a.ts', 'f();\n'.repeat(301), 'a file has at most 300 lines'],
    ['base/a.ts', `const f = () => {${'\n'.repeat(70)}};`, 'lines, this one 71'],
    ['base/a-helper.ts', '', 'a name says more than "helper"'],
    ['base/camelCase.ts', '', 'names are kebab-case: camelCase.ts'],
    ['base/a.ts', 'export default 1;', 'no default exports'],
    ['hsm/a.ts', 'f(Date.now());', 'only base/clock.ts reads the clock'],
    ['hsm/a.ts', 'f(new Date());', 'only base/clock.ts reads the clock'],
    ['hsm/a.ts', "const x: string = process.env['X'];", 'use process.env and process.exit'],
    ['hsm/a.ts', '// TODO later', 'unfinished work is not left in a comment'],
    ['test/a.test.ts', "t.only('x', f);", 'no test runs alone'],
    ['test/a.test.ts', "t.test('x', { only: true }, f);", 'no test runs alone'],
    ['test/a.test.ts', 't.setTimeout(9);', 'bounds the time of test files'],
    ['hsm/a.ts', 'declareFaults({});', 'faults are declared in'],
  ];
  for (const [path, text, place] of cases) {
    t.match(found(path, text).join('\n'), place, `${path}: ${text.slice(0, 60)}`);
  }
  t.strictSame(found('hsm/check-block.ts', "import { Payload } from '#formats';"), []);
  t.strictSame(found('hsm/signer-main.ts', "import '#base';\nprocess.env['X'];"), []);
  t.strictSame(found('test/hsm/a.test.ts', "import { x } from '../../hsm/a.ts';\nDate.now();"), []);
});

function placesOf(path: string, findings: readonly Finding[]): string[] {
  return findings.map(({ line, rule }) => `${path}:${line} ${rule}`);
}
