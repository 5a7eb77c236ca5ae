import { copyFileSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { toHex } from '#base';
import { sha256 } from '#crypto';
import { buildContract, builtInContract, prepareContract } from '#wasm';
import { compiledContract } from '../support/compiled-contract.ts';

const notaryDir = join(import.meta.dirname, '..', '..', 'wasm', 'contracts', 'notary');

t.test('the same sources compile to the same bytes, wherever they lie', async (t) => {
  const elsewhere = join(t.testdir({}), 'a', 'copy');
  mkdirSync(elsewhere, { recursive: true });
  for (const file of readdirSync(notaryDir)) {
    if (file.endsWith('.ts')) copyFileSync(join(notaryDir, file), join(elsewhere, file));
  }
  const outFile = join(elsewhere, 'out', 'notary.wasm');
  await buildContract(join(elsewhere, 'index.ts'), outFile);
  const hash = toHex(sha256(new Uint8Array(readFileSync(outFile))));
  t.equal(hash, toHex(sha256(await builtInContract('notary'))));
});

t.test('a built-in contract is compiled once and passes the rules', async (t) => {
  const first = await builtInContract('notary');
  const files = readdirSync(notaryDir).filter((file) => file.endsWith('.wasm'));
  t.equal(files.length, 1);
  t.same(await builtInContract('notary'), first);
  const { functions } = prepareContract(first);
  t.same(functions, ['deposit', 'get', 'history', 'transfer', 'revoke']);
});

t.test('a contract that is not built in is absent', async (t) => {
  for (const name of ['nothing', '..', '../sdk', '']) {
    await t.rejects(builtInContract(name), { code: 'WASM_CONTRACT_ABSENT', kind: 'absent' });
  }
});

t.test('a source with a mistake is refused in the words of the compiler', async (t) => {
  const directory = t.testdir({ 'wrong.ts': 'export function run(): void { missing(); }' });
  const outFile = join(directory, 'wrong.wasm');
  await t.rejects(buildContract(join(directory, 'wrong.ts'), outFile), {
    code: 'WASM_BUILD_FAILED',
    detail: { reason: /missing/ },
  });
  t.notOk(readdirSync(directory).includes('wrong.wasm'));
});

t.test('a source cannot reach files outside its folder', async (t) => {
  const directory = t.testdir({ inner: {} });
  writeFileSync(join(directory, 'secret.ts'), 'export const secret = 1;');
  const source = join(directory, 'inner', 'reach.ts');
  writeFileSync(
    source,
    "import { secret } from '../secret'; export function run(): void { secret; }",
  );
  await t.rejects(buildContract(source, join(directory, 'reach.wasm')), {
    code: 'WASM_BUILD_FAILED',
  });
});

t.test('000-5 a contract that computes with floats does not pass the rules', async (t) => {
  const code = await compiledContract('float');
  t.throws(() => prepareContract(code), { code: 'WASM_FLOAT_USED' });
});

t.test('a contract that asks for the clock does not pass the rules', async (t) => {
  const code = await compiledContract('foreign');
  t.throws(() => prepareContract(code), { code: /^WASM_(IMPORT_UNKNOWN|FLOAT_USED)$/ });
});
