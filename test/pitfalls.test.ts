import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';

const projectDir = join(import.meta.dirname, '..');
const rows = readFileSync(join(projectDir, 'docs', 'FABRIC.md'), 'utf8')
  .split('\n')
  .map((line) => /^\| (P\d+) +\| (.+?) +\| (.+?) +\|$/.exec(line))
  .filter((row) => row !== null)
  .map(([, name = '', what = '', proof = '']) => ({ name, what, proof }));

t.test('every hazard from P1 to P27 has its row', async (t) => {
  const wanted = Array.from({ length: 27 }, (_, index) => `P${index + 1}`);
  t.strictSame(
    rows.map(({ name }) => name),
    wanted,
  );
});

for (const { name, what, proof } of rows) {
  t.test(`${name}, ${what}, is refused by a test or told why not`, async (t) => {
    const reason = /^not applicable: (.+)$/.exec(proof)?.[1];
    if (reason !== undefined) {
      t.ok(reason.length > 20, reason);
      return;
    }
    const files = [...proof.matchAll(/`([^`]+)`/g)].map(([, file = '']) => file);
    t.ok(files.length > 0, 'it names its tests');
    for (const file of files) {
      t.ok(existsSync(join(projectDir, file)), `${file} is there`);
      const text = readFileSync(join(projectDir, file), 'utf8');
      t.match(text, new RegExp(`'[^'\n]*\\b${name}\\b[^'\n]*'`), `a title in ${file} names it`);
    }
  });
}
