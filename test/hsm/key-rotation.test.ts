import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { fromBase64, utf8 } from '#base';
import { certificatePem, parseCsr, parsePem } from '#crypto';
import { verifyAuditLog } from '#custody';
import { SignedGuardMarks, verifyRotation } from '#formats';
import { listTokenKeys } from '#softhsm-config';
import { SignerRefused, startSigner } from '../support/signer-process.ts';
import type { SignerProcess } from '../support/signer-process.ts';
import { makeCa, temporaryToken } from '../support/softhsm.ts';
import { orderSetting } from './order-setting.ts';
import { ledgerOfReceipts, rotationReceipt } from './rotation-receipt.ts';
import { endorsementPayload } from './samples.ts';

/** The host outlives the tests that start it anew. */
const wholeFile = t;
const token = await temporaryToken(t, {
  keys: [
    { label: 'node', role: 'node' },
    { label: 'attestation', role: 'attestation' },
    { label: 'odd name', role: 'node' },
  ],
});
const ca = await makeCa();
const { custody, order } = orderSetting(token);
const ledger = ledgerOfReceipts(token.dir);
const recordFile = join(token.dir, 'state', 'keys.json');
let host: SignerProcess = await startSigner(wholeFile, token, { custody, ledger });

/** The key of the request that an order answered, certified for a subject. */
async function certificateOf(csr: string, subject: { commonName?: string; unit?: string } = {}) {
  const { commonName = 'node', unit = 'peer' } = subject;
  const { publicKey } = parseCsr(fromBase64(csr) ?? new Uint8Array(0));
  const named = { commonName, organizationalUnits: [unit] };
  return utf8(certificatePem((await ca.issue(named, publicKey.spki)).der));
}

async function crash(): Promise<void> {
  await host.kill();
  host = await startSigner(wholeFile, token, { custody, ledger });
}

async function labels(): Promise<string[]> {
  const keys = await listTokenKeys({ dir: join(token.dir, 'token'), label: token.tokenLabel });
  return keys.map(({ label }) => label).filter((label) => label.startsWith('node'));
}

const endorse = (keyLabel: string) =>
  host.client.endorse([{ keyLabel, proposalResponsePayload: endorsementPayload() }]);

t.test('nothing is certified that the operators did not order', async (t) => {
  const foreign = await certificateOf((await order('key.rotate', { key: 'node' }))['csr'] ?? '');
  await t.rejects(host.client.certifyKey('odd name', foreign), { code: 'HSM_KEY_VERSIONLESS' });
  await t.rejects(host.client.certifyKey('nobody', foreign), { code: 'HSM_KEY_UNKNOWN' });
  await t.rejects(host.client.retireKey('node', new Uint8Array(0)), {
    code: 'HSM_ROTATION_ABSENT',
  });
  await t.rejects(order('key.rotate', { key: 'odd name' }), { code: 'HSM_KEY_VERSIONLESS' });
  await t.rejects(order('key.rotate', {}), { code: 'HSM_CALL_MALFORMED' });
});

t.test(
  'a certificate of another key, role or subject does not put a version in force',
  async (t) => {
    const { csr = '' } = await order('key.rotate', { key: 'node' });
    const attestation = token.certificateOf.get('attestation')!.certificate;
    const wrong: [string, Uint8Array, string][] = [
      ['key', utf8(certificatePem(attestation.der)), 'HSM_KEY_MISMATCH'],
      ['role', await certificateOf(csr, { unit: 'client' }), 'HSM_CERTIFICATE_UNIT'],
      ['subject', await certificateOf(csr, { commonName: 'other' }), 'FORMATS_ROTATION_INVALID'],
    ];
    for (const [what, pem, code] of wrong) {
      await t.rejects(host.client.certifyKey('node', pem), { code }, what);
    }
    await t.rejects(endorse('node~2'), { code: 'HSM_KEY_NOT_ACTIVE' });
    await t.resolves(endorse('node'));
  },
);

t.test(
  'a rotation that crashes cut off is gone on with, and both keys sign until it ends',
  async (t) => {
    await crash();
    const { csr = '', label } = await order('key.rotate', { key: 'node' });
    t.equal(label, 'node~2', 'not a third version');
    await crash();
    const record = await host.client.certifyKey('node', await certificateOf(csr));
    t.match(verifyRotation(record), { old: { version: 1 }, next: { version: 2, label: 'node~2' } });
    await crash();
    t.strictSame(await host.client.certifyKey('node', new Uint8Array(0)), record);
    await t.rejects(order('key.rotate', { key: 'node' }), { code: 'HSM_ROTATION_UNDERWAY' });
    await t.resolves(Promise.all([endorse('node'), endorse('node~2')]));
    const unproved = { code: 'HSM_RETIREMENT_UNPROVED', kind: 'denied' };
    await t.rejects(host.client.retireKey('node', new Uint8Array(0)), unproved);
    t.strictSame((await labels()).toSorted(), ['node', 'node~2'], 'the old one stays');
    await t.resolves(endorse('node'), 'and signs');
    const [retired] = await host.client.retireKey('node', rotationReceipt(record));
    t.match(retired, { label: 'node', fingerprint: /^[0-9a-f]{64}$/ });
    t.strictSame(await labels(), ['node~2']);
    await t.rejects(endorse('node'), { code: 'HSM_KEY_NOT_ACTIVE' });
    const [described] = await host.client.describe();
    t.match(described, { label: 'node', version: 2, faultCode: '' });
  },
);

t.test('an attestation key is rotated too, and what it signed stays verifiable', async (t) => {
  const { certificate } = token.certificateOf.get('attestation')!;
  const { csr = '' } = await order('key.rotate', { key: 'attestation' });
  const pem = await certificateOf(csr, { commonName: 'attestation', unit: 'client' });
  const record = await host.client.certifyKey('attestation', pem);
  t.match(verifyRotation(record), { role: 'attestation', next: { label: 'attestation~2' } });
  await t.rejects(order('key.rotate', { key: 'attestation' }), { code: 'HSM_ROTATION_UNDERWAY' });
  await host.client.retireKey('attestation', rotationReceipt(record));
  const { publicKey } = parsePem(Buffer.from(pem).toString());
  t.strictSame(SignedGuardMarks.decode(await host.client.guardMarks()).certificate, pem);
  const log = readFileSync(join(custody.auditDir, 'audit.jsonl'));
  const of = { zone: 'test-zone', token: token.tokenLabel, known: [] };
  const keys = [certificate.publicKey, publicKey];
  t.doesNotThrow(() => verifyAuditLog(log, { ...of, keys }));
  for (const key of keys) {
    t.throws(() => verifyAuditLog(log, { ...of, keys: [key] }), {
      code: 'CUSTODY_AUDIT_CHECKPOINT_INVALID',
    });
  }
});

t.test('usage counters outlive the host', async (t) => {
  for (let count = 0; count < 5; count += 1) await endorse('node~2');
  await host.stop();
  host = await startSigner(wholeFile, token, { custody, ledger });
  const [node] = (await host.client.report()).keys;
  t.match(node, { label: 'node~2', version: 2 });
  t.ok((node?.lifeSignatures ?? 0n) >= 5n);
});

t.test('a compromised key signs nothing more but the record of its own end', async (t) => {
  await order('key.compromised', { key: 'node' });
  await t.rejects(endorse('node~2'), { code: 'HSM_KEY_NOT_ACTIVE' });
  await crash();
  await t.rejects(endorse('node~2'), { code: 'HSM_KEY_NOT_ACTIVE' });
  const { csr = '' } = await order('key.rotate', { key: 'node' });
  const record = await host.client.certifyKey('node', await certificateOf(csr));
  t.match(verifyRotation(record), { next: { label: 'node~3' } });
  await host.client.retireKey('node', rotationReceipt(record));
  t.strictSame(await labels(), ['node~3']);
  await t.resolves(endorse('node~3'));
  t.match(JSON.parse(readFileSync(recordFile, 'utf8')), {
    keys: {
      node: [{ state: 'destroyed' }, { state: 'destroyed-compromised' }, { state: 'active' }],
    },
  });
});

t.test('an active key is not destroyed by an order', async (t) => {
  const destroying = order('key.destroy', { key: 'node', version: '3' });
  await t.rejects(destroying, { code: 'CUSTODY_KEY_STATE_DENIED' });
  await t.resolves(endorse('node~3'));
});

t.test('a host without a readable record of its keys does not guess which may sign', async (t) => {
  await host.stop();
  const refused = async () => {
    const outcome: unknown = await startSigner(wholeFile, token, { custody, ledger }).catch(
      (error: unknown) => error,
    );
    if (!(outcome instanceof SignerRefused)) throw new Error('the host has started');
    return [outcome.exitCode, outcome.code];
  };
  const good = readFileSync(recordFile, 'utf8');
  for (const bad of ['', good.slice(0, -20), good.replace('"version": 2', '"version": 7')]) {
    writeFileSync(recordFile, bad);
    t.strictSame(await refused(), [2, 'HSM_RECORD_CORRUPT']);
  }
  // Without any, the first version is looked for, which was destroyed.
  rmSync(recordFile);
  t.strictSame(await refused(), [2, 'HSM_KEY_ABSENT']);
});
