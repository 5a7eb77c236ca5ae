import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import t from 'tap';
import { faultRegister, limits } from '#base';
import { renderErrors } from '../scripts/errors-doc.ts';
import { projectDir } from '../scripts/generated-doc.ts';
import { limitReasons, renderLimits } from '../scripts/limits-doc.ts';
import { idsIn, renderRequirements, testsById } from '../scripts/requirements-doc.ts';
import { openReasons, requirements } from '../scripts/requirements.ts';

const renew = 'run "npm run docs" and read what it changed';

t.test('docs/ERRORS.md is the fault register, no fault more and none less', async (t) => {
  const rendered = await renderErrors();
  t.ok(faultRegister.size > 8, 'the faults of more folders than base/ are in it');
  t.equal(docText('ERRORS.md'), rendered, renew);
});

t.test('a fault’s code begins with a word of the folder that declares it', async (t) => {
  const sections = (await renderErrors()).split('\n## ').slice(1);
  const strangers = sections.flatMap((section) => {
    const folder = section.slice(0, section.indexOf('/\n'));
    const words = (folder.split('/')[0] ?? '').toUpperCase().split('-');
    const codes = [...section.matchAll(/^\| `(\w+)`/gm)].map(([, code = '']) => code);
    return codes.filter((code) => !words.includes(code.slice(0, code.indexOf('_'))));
  });
  t.strictSame(strangers, []);
});

t.test('every fault is raised somewhere', (t) => {
  const files = globSync('*/**/*.ts', { cwd: projectDir, exclude: ['node_modules/**', 'test/**'] });
  const texts = files
    .filter((file) => basename(file) !== 'faults.ts')
    .map((file) => readFileSync(join(projectDir, file), 'utf8'))
    .join('\n');
  // A few are put together of a beginning and a word.
  const beginnings = [...texts.matchAll(/`([A-Z][A-Z\d_]+_)\$\{/g)].map(([, text = '']) => text);
  const idle = [...faultRegister.keys()].filter(
    (code) => !texts.includes(code) && !beginnings.some((text) => code.startsWith(text)),
  );
  t.strictSame(idle, []);
  t.end();
});

t.test('docs/LIMITS.md is the table of bounds', async (t) => {
  t.equal(docText('LIMITS.md'), await renderLimits(), renew);
});

t.test('every bound says why it is what it is', async (t) => {
  const reasons = limitReasons();
  t.strictSame(
    Object.keys(limits).filter((key) => !reasons.get(key)),
    [],
  );
});

t.test('docs/DEPENDENCIES.md names every dependency once and nothing else', async (t) => {
  const manifest = JSON.parse(readFileSync(join(projectDir, 'package.json'), 'utf8')) as Record<
    'dependencies' | 'devDependencies',
    Record<string, string>
  >;
  const rows = docText('DEPENDENCIES.md').matchAll(/^\| ([@a-z][^\s|]*) +\|/gm);
  const named = [...rows].map(([, name = '']) => name).filter((name) => name !== 'package');
  const declared = [manifest.dependencies, manifest.devDependencies].flatMap(Object.keys);
  t.strictSame(inOrder(named), inOrder(declared));
});

t.test('docs/REQUIREMENTS.md is what the titles of the tests say', async (t) => {
  t.equal(docText('REQUIREMENTS.md'), await renderRequirements(), renew);
});

t.test('no test claims a requirement that there is not', async (t) => {
  const unknown = [...testsById()].filter(([id]) => !requirements.has(id));
  t.strictSame(unknown, []);
});

t.test('each requirement that is open, and no other, says what it lacks', async (t) => {
  const tests = testsById();
  const open = [...requirements.keys()].filter((id) => !tests.has(id));
  t.strictSame([...openReasons.keys()], open);
});

t.test('an id counts in the title of a test and nowhere else', async (t) => {
  const [first, second, third] = ['002-1', '002-2', '002-3'];
  const source = `// ${third}\nt.test('${first} and ${second} hold', f);\nt.equal(x, '${third}');`;
  t.strictSame([...idsIn(source)], [first, second]);
});

function docText(name: string): string {
  return readFileSync(join(projectDir, 'docs', name), 'utf8');
}

function inOrder(names: readonly string[]): string[] {
  return names.toSorted((a, b) => (a < b ? -1 : 1));
}
