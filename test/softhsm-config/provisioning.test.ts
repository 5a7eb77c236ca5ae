import { mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { fromHex } from '#base';
import { parseCsr } from '#crypto';
import { findSoftHsmModule, listTokenKeys, runProvisioning, tokenFiles } from '#softhsm-config';
import type { ProvisionSpec } from '#softhsm-config';
import { mappedPkcs11 } from '../support/memory-map.ts';
import { madeInToken } from '../support/softhsm.ts';
import { temporaryDir } from '../support/temporary-dir.ts';

const keys = ['node', 'relay'].map((label) => ({
  label,
  role: label,
  subject: { commonName: `${label} key`, organization: 'Org1', organizationalUnits: ['peer'] },
}));

const dir = join(temporaryDir(t), 'deep', 'org1');
const made = await runProvisioning({ dir, label: 'Org1', keys });

t.test(
  '002-20 keys are made in the token, with everything said that keeps them there',
  async (t) => {
    const listed = await listTokenKeys({ dir, label: 'Org1' });
    const inOrder = listed.toSorted((a, b) => (a.label < b.label ? -1 : 1));
    t.strictSame(
      inOrder.map(({ label, publicKey }) => ({ label, publicKey })),
      made.keys.map(({ label, publicKey }) => ({ label, publicKey })),
    );
    for (const { attributes } of listed) {
      t.strictSame(attributes, madeInToken);
    }
    t.equal(new Set(listed.map(({ id }) => id)).size, 2, 'ids are unique');
  },
);

t.test('002-21 a certificate request names its subject and is signed by its own key', async (t) => {
  for (const { csr, publicKey, label } of made.keys) {
    const request = parseCsr(fromHex(csr) as Uint8Array);
    t.equal(request.subject.commonName, `${label} key`);
    t.strictSame(request.subject.organizationalUnits, ['peer']);
    t.strictSame(request.publicKey.spki, fromHex(publicKey));
  }
});

t.test('PINs are random, differ, and are for the owner only', async (t) => {
  const { userPin, soPin, config } = tokenFiles(dir);
  t.equal(made.pinFile, userPin);
  t.equal(made.softhsmConfig, config);
  const pins = [userPin, soPin].map((file) => readFileSync(file, 'utf8'));
  for (const pin of pins) t.match(pin, /^[A-Za-z0-9_-]{32}$/);
  t.not(pins[0], pins[1]);
  for (const file of [userPin, soPin, config]) t.equal(statSync(file).mode & 0o777, 0o600, file);
  t.equal(statSync(dir).mode & 0o777, 0o700);
});

t.test('nothing but token, configuration and PINs is left', async (t) => {
  t.strictSame(readdirSync(dir).sort(), ['so.pin', 'softhsm2.conf', 'tokens', 'user.pin']);
  t.strictSame(readdirSync(join(dir, '..')), ['org1']);
});

t.test('a directory that holds something is not touched', async (t) => {
  const again = runProvisioning({ dir, label: 'Org1', keys });
  await t.rejects(again, { code: 'SOFTHSM_TOKEN_EXISTS', kind: 'conflict' });
  const other = temporaryDir(t);
  writeFileSync(join(other, 'file'), 'kept');
  const there = runProvisioning({ dir: other, label: 'Org1', keys });
  await t.rejects(there, { code: 'SOFTHSM_TOKEN_EXISTS' });
  t.equal(readFileSync(join(other, 'file'), 'utf8'), 'kept');
});

t.test('a failed provisioning leaves nothing behind', async (t) => {
  const parent = temporaryDir(t);
  const module = join(parent, 'no-module.so');
  writeFileSync(module, 'not a library');
  const failing = runProvisioning({ dir: join(parent, 'org'), label: 'Org1', module, keys });
  await t.rejects(failing, { code: 'SOFTHSM_PROVISIONING_FAILED', kind: 'broken' });
  t.strictSame(readdirSync(parent), ['no-module.so']);
});

t.test('a missing module is a fault', async (t) => {
  const missing = { code: 'SOFTHSM_MODULE_MISSING', kind: 'fatal' };
  t.throws(() => findSoftHsmModule('/nonexistent.so'), missing);
  const module = '/nonexistent.so';
  const provisioning = runProvisioning({ dir: `${dir}-2`, label: 'Org1', module, keys });
  await t.rejects(provisioning, missing);
  t.equal(findSoftHsmModule(made.module), made.module);
});

t.test('bad descriptions are refused by name', async (t) => {
  const place = join(temporaryDir(t), 'org');
  const bad = (change: Partial<ProvisionSpec> & { pin?: string }) =>
    runProvisioning({ dir: place, label: 'Org1', keys, ...change });
  const invalid = { code: 'BASE_CONFIG_INVALID', kind: 'malformed' };
  await t.rejects(bad({ label: 'x'.repeat(33) }), invalid, 'a label that C_InitToken would cut');
  await t.rejects(bad({ label: 'a b' }), invalid);
  await t.rejects(bad({ keys: [] }), invalid);
  await t.rejects(bad({ pin: '1234' }), invalid, 'an unknown member');
  await t.rejects(bad({ keys: [...keys, ...keys] }), { code: 'SOFTHSM_SPEC_INVALID' });
});

t.test('a token that is not there cannot be listed', async (t) => {
  await t.rejects(listTokenKeys({ dir, label: 'Org2' }), { code: 'SOFTHSM_TOKEN_ABSENT' });
});

t.test('two directories may hold tokens of one name', async (t) => {
  const other = join(temporaryDir(t), 'org1');
  mkdirSync(other);
  const second = await runProvisioning({ dir: other, label: 'Org1', keys });
  t.not(second.keys[0]?.publicKey, made.keys[0]?.publicKey);
});

t.test('provisioning maps no PKCS#11 library into its caller', async (t) => {
  t.strictSame(mappedPkcs11(process.pid), []);
});
