import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import t from 'tap';
import type { Test } from 'tap';
import { limits, textOf, utf8 } from '#base';
import { isPackageOf, parseContractPackage } from '#formats';
import { fuzz } from '../crypto/fuzzing.ts';
import { contractPackage, packageOf, tarOf } from '../support/contract-package.ts';
import type { TarEntry } from '../support/contract-package.ts';

const code = utf8('\0asm and so on');
const metadata = { name: 'metadata.json', content: utf8('{"type":"wasm","label":"notary_1.0"}') };
const codeEntry = {
  name: 'code.tar.gz',
  content: gzipSync(tarOf({ name: 'notary.wasm', content: code })),
};

function refused(test: Test, bytes: Uint8Array, reason: string): void {
  const wanted = { code: 'FORMATS_PACKAGE_INVALID', detail: { reason } };
  test.throws(() => parseContractPackage(bytes), wanted, reason);
}

t.test('a package made with plain tar is read, and named as Fabric names it', async (t) => {
  const dir = t.testdir({
    'metadata.json': textOf(metadata.content),
    'notary.wasm': textOf(code),
  });
  const make = (format: string) => {
    const tar = (...args: string[]) =>
      execFileSync('tar', [`--format=${format}`, '-czf', ...args], { cwd: dir });
    tar('code.tar.gz', './notary.wasm');
    tar('notary.tgz', 'metadata.json', 'code.tar.gz');
    return readFileSync(join(dir, 'notary.tgz'));
  };
  for (const format of ['gnu', 'ustar']) {
    const bytes = make(format);
    const { packageId, label, code: read } = parseContractPackage(bytes);
    t.equal(textOf(read), textOf(code), format);
    t.equal(label, 'notary_1.0');
    t.equal(packageId, `notary_1.0:${createHash('sha256').update(bytes).digest('hex')}`);
    t.ok(isPackageOf(packageId, bytes));
    t.notOk(isPackageOf(packageId, contractPackage(code)));
  }
  refused(t, make('v7'), 'not a tar archive');
  refused(t, make('posix'), 'tar entry ./PaxHeaders/metadata.json is not a regular file, type x');
});

t.test('what is no package of one contract is refused, with the reason', async (t) => {
  refused(t, utf8('not gzip'), 'error reading as gzip stream');
  refused(t, gzipSync(utf8('not tar')), 'the archive is cut off');
  refused(t, packageOf(metadata), 'did not find a code package inside the package');
  refused(t, packageOf(codeEntry), 'did not find any package metadata (missing metadata.json)');
  const third = { name: 'README', content: utf8('x') };
  refused(t, packageOf(metadata, codeEntry, third), 'too many files');
  refused(t, packageOf(metadata, codeEntry, codeEntry), 'code.tar.gz is in it twice');
  const whole = tarOf(metadata, codeEntry);
  refused(t, gzipSync(whole.subarray(0, 700)), 'the archive is cut off');
  refused(t, gzipSync(Buffer.concat([whole, utf8('x')])), 'something after its end');
  const broken = Buffer.from(whole);
  broken.write('X', 0);
  refused(t, gzipSync(broken), 'a checksum is wrong');
  const endless = { ...codeEntry, size: '77777777777' };
  refused(t, packageOf(metadata, endless), 'code.tar.gz is too large');
  refused(
    t,
    packageOf(metadata, { ...codeEntry, size: '-0000000001' }),
    'the size of code.tar.gz is no number',
  );
  refused(t, packageOf(metadata, { ...codeEntry, size: '00001000000' }), 'code.tar.gz is cut off');
});

t.test('names that lead elsewhere, links, devices and directories are refused', async (t) => {
  const code = (entry: Partial<TarEntry>): Uint8Array => {
    const inner = tarOf({ name: 'contract.wasm', content: utf8('x'), ...entry });
    return packageOf(metadata, { name: 'code.tar.gz', content: gzipSync(inner) });
  };
  const unplain = 'a name is not a plain relative path';
  for (const name of [
    '/etc/passwd.wasm',
    '../up.wasm',
    'a/../../b.wasm',
    'a//b.wasm',
    'C:\\x.wasm',
    'é.wasm',
  ]) {
    refused(t, code({ name }), unplain);
  }
  const empty = new Uint8Array(0);
  for (const type of ['1', '2', '3', '5', '6', 'L', 'S', 'g', 'x']) {
    refused(
      t,
      code({ type, content: empty, linkName: '/etc/passwd' }),
      `tar entry contract.wasm is not a regular file, type ${type}`,
    );
  }
  const link = { name: 'metadata.json', content: empty, type: '2', linkName: 'code.tar.gz' };
  refused(t, packageOf(link, codeEntry), 'tar entry metadata.json is not a regular file, type 2');
});

t.test('the code package holds one file of WebAssembly and nothing else', async (t) => {
  const holding = (...names: string[]) => {
    const inner = tarOf(...names.map((name) => ({ name, content: utf8('x') })));
    return packageOf(metadata, { name: 'code.tar.gz', content: gzipSync(inner) });
  };
  const one = 'the code package must hold one .wasm file';
  refused(t, holding(), one);
  refused(t, holding('main.go'), one);
  refused(t, holding('a.wasm', 'b.wasm'), 'too many files');
  refused(t, holding('a.wasm', 'a.wasm'), 'a.wasm is in it twice');
  t.equal(parseContractPackage(holding('src/a.wasm')).label, 'notary_1.0');
});

t.test('what grows past its bound when it is unpacked is stopped', async (t) => {
  const bomb = gzipSync(new Uint8Array(64 * 1024 * 1024));
  refused(t, bomb, 'unpacked it is too large');
  refused(
    t,
    packageOf(metadata, { name: 'code.tar.gz', content: bomb }),
    'unpacked it is too large',
  );
  const large = randomBytes(limits.contractPackageBytesMax + 1);
  refused(t, large, 'the package is too large');
  const code = { name: 'a.wasm', content: new Uint8Array(limits.contractCodeBytesMax + 1) };
  const inner = { name: 'code.tar.gz', content: gzipSync(tarOf(code)) };
  refused(t, packageOf(metadata, inner), 'a.wasm is too large');
});

t.test('metadata of another kind is refused', async (t) => {
  const described = (text: string) =>
    packageOf({ name: 'metadata.json', content: utf8(text) }, codeEntry);
  refused(t, described('{'), 'could not unmarshal metadata.json as json');
  refused(t, described('[]'), 'could not unmarshal metadata.json as json');
  refused(
    t,
    described('{"type":"wasm","label":"a","label":"b"}'),
    'could not unmarshal metadata.json as json',
  );
  refused(t, described('{"type":"golang","label":"a"}'), "the package's type must be wasm");
  refused(t, described('{"type":"wasm","label":"a","x":1}'), 'metadata.json has an unknown member');
  const label =
    "invalid label. Label must be non-empty, can only consist of alphanumerics, symbols from '.+-_', and can only begin with alphanumerics";
  for (const name of ['', '.a', 'a/b', '../a', 'a'.repeat(65), 7]) {
    refused(t, described(JSON.stringify({ type: 'wasm', label: name })), label);
  }
  t.equal(parseContractPackage(described('{"type":"wasm","label":"a","path":"x"}')).label, 'a');
});

t.test('mutated packages are refused or read, never anything else', async (t) => {
  const archive = (bytes: Uint8Array) => parseContractPackage(gzipSync(bytes));
  for (const outcome of [
    fuzz(archive, tarOf(metadata, codeEntry), { seed: 20261121, rounds: 600 }),
    fuzz(parseContractPackage, contractPackage(code), { seed: 20261122, rounds: 600 }),
  ]) {
    t.strictSame(outcome.escaped, []);
    t.ok(outcome.refused > 300, `${outcome.refused} refused`);
  }
});
