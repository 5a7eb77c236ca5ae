import { mkdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import pkcs11js from 'pkcs11js';
import { fromBase64, utf8 } from '#base';
import { certificatePem, parseCsr, parsePem } from '#crypto';
import { listTokenKeys } from '#softhsm-config';
import { eventually } from '../support/eventually.ts';
import { faultShim, shimIsMissing } from '../support/fault-shim.ts';
import { startSigner } from '../support/signer-process.ts';
import type { SignerProcess } from '../support/signer-process.ts';
import { makeCa, temporaryToken } from '../support/softhsm.ts';
import { orderSetting } from '../hsm/order-setting.ts';
import { ledgerOfReceipts, rotationReceipt } from '../hsm/rotation-receipt.ts';
import { endorsementPayload } from '../hsm/samples.ts';

const skip = shimIsMissing();
/** The host outlives the tests that start it anew. */
const wholeFile = t;
const token = await temporaryToken(t, { keys: [{ label: 'node', role: 'node' }] });
const ca = await makeCa();
const { custody, order } = orderSetting(token);
const { module, moduleEnvironment, control } = faultShim(t, token.module);
const config = { custody, module, moduleEnvironment, ledger: ledgerOfReceipts(token.dir) };
const recordFile = join(token.dir, 'state', 'keys.json');
/** That the newest rotation is on the ledger. */
let proof: Uint8Array;
let host: SignerProcess = await startSigner(wholeFile, token, config);

async function certificateOf(csr = '') {
  const { publicKey } = parseCsr(fromBase64(csr) ?? new Uint8Array(0));
  const subject = { commonName: 'node', organizationalUnits: ['peer'] };
  return ca.issue(subject, publicKey.spki);
}

async function labels(): Promise<string[]> {
  const keys = await listTokenKeys({ dir: join(token.dir, 'token'), label: token.tokenLabel });
  return keys.map(({ label }) => label);
}

async function undestroyedCount(): Promise<bigint | undefined> {
  const { gauges } = await host.client.report();
  return gauges.find(({ name }) => name === 'keysUndestroyed')?.value;
}

const endorse = (keyLabel: string) =>
  host.client.endorse([{ keyLabel, proposalResponsePayload: endorsementPayload() }]);
const noted = () => readFileSync(join(custody.auditDir, 'audit.jsonl'), 'utf8');
const undestroyed = { code: 'HSM_KEY_UNDESTROYED', kind: 'broken' };

t.test('nothing is done that cannot be put on record, and all of it later', async (t) => {
  const readOnly = { code: 'HSM_RECORD_READONLY', kind: 'broken' };
  // What is to become the record cannot be opened for writing.
  const obstacle = `${recordFile}.new`;
  mkdirSync(obstacle);
  await t.rejects(order('key.rotate', { key: 'node' }), readOnly);
  t.strictSame(await labels(), ['node'], 'no key is made');
  rmdirSync(obstacle);
  const { csr = '' } = await order('key.rotate', { key: 'node' });
  const certificate = utf8(certificatePem((await certificateOf(csr)).der));
  mkdirSync(obstacle);
  await t.rejects(host.client.certifyKey('node', certificate), readOnly);
  await t.rejects(endorse('node~2'), { code: 'HSM_KEY_NOT_ACTIVE' });
  await t.resolves(endorse('node'));
  rmdirSync(obstacle);
  proof = rotationReceipt(await host.client.certifyKey('node', certificate));
  mkdirSync(obstacle);
  await t.rejects(host.client.retireKey('node', proof), readOnly);
  t.strictSame((await labels()).toSorted(), ['node', 'node~2'], 'nothing is destroyed');
  await t.rejects(endorse('node'), { code: 'HSM_KEY_NOT_ACTIVE' }, 'but signs no more');
  rmdirSync(obstacle);
});

t.test(
  'a token that says it destroyed a key, and did not, is not believed',
  { skip },
  async (t) => {
    const { certificate } = token.certificateOf.get('node')!;
    control.pretend('C_DestroyObject');
    await t.rejects(host.client.retireKey('node', proof), undestroyed);
    t.ok(control.calls('C_DestroyObject') >= 2, 'it was asked');
    t.ok((await labels()).includes('node'));
    t.notMatch(noted(), /"key\.destroyed"/);
    t.equal(await undestroyedCount(), 1n, 'monitoring hears');
    await t.rejects(endorse('node'), { code: 'HSM_KEY_NOT_ACTIVE' });
    await t.resolves(endorse('node~2'));
    control.heal();
    const [retired] = await host.client.retireKey('node', proof);
    t.match(retired, { label: 'node', fingerprint: certificate.publicKey.fingerprint });
    t.strictSame(await labels(), ['node~2']);
    t.equal(await undestroyedCount(), 0n);
  },
);

t.test(
  'a key that a token refused to destroy goes at the next start, with evidence',
  { skip },
  async (t) => {
    const [old] = await host.client.describe();
    const { publicKey } = parsePem(Buffer.from(old?.certificate ?? '').toString('latin1'));
    const { csr } = await order('key.rotate', { key: 'node' });
    const { der } = await certificateOf(csr);
    proof = rotationReceipt(await host.client.certifyKey('node', utf8(certificatePem(der))));
    control.fail('C_DestroyObject', pkcs11js.CKR_FUNCTION_REJECTED);
    await t.rejects(host.client.retireKey('node', proof), {
      ...undestroyed,
      detail: { key: 'node~2', name: 'CKR_FUNCTION_REJECTED' },
    });
    t.equal(await undestroyedCount(), 1n);
    await host.kill();
    control.heal();
    host = await startSigner(wholeFile, token, config);
    await eventually(async () => demand((await undestroyedCount()) === 0n));
    t.strictSame(await labels(), ['node~3']);
    const told = noted()
      .split('\n')
      .filter((line) => line.includes('"key.destroyed"'));
    t.equal(told.length, 2);
    t.match(told[1], publicKey.fingerprint, 'the evidence names the key');
  },
);

function demand(condition: boolean): void {
  if (!condition) throw new Error('not yet');
}
