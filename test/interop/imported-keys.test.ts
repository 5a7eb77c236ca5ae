import { generateKeyPairSync } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { fromBase64, textOf, toBase64, utf8 } from '#base';
import { wrapKey } from '#cli';
import { certificatePem, importPublicKey, parseCsr } from '#crypto';
import { parseOperatorPolicy } from '#custody';
import { verifyRotation } from '#formats';
import { listTokenKeys } from '#softhsm-config';
import { SignerRefused, startSigner } from '../support/signer-process.ts';
import type { SignerProcess } from '../support/signer-process.ts';
import { makeCa, temporaryToken } from '../support/softhsm.ts';
import { orderSetting } from '../hsm/order-setting.ts';
import { ledgerOfReceipts, rotationReceipt } from '../hsm/rotation-receipt.ts';
import { endorsementPayload } from '../hsm/samples.ts';

/** The host outlives the tests that start it anew. */
const wholeFile = t;
const token = await temporaryToken(t, { keys: [{ label: 'node', role: 'node' }] });
const ca = await makeCa();
const [ours, other] = [outsideKey('ours'), outsideKey('other')];
const rules = {
  'key.import': { approvals: 2, delaySeconds: 0 },
  'policy.change': { approvals: 2, delaySeconds: 0 },
};
const { custody, operators, order } = orderSetting(token, { rules });
const ledger = ledgerOfReceipts(token.dir);
let host: SignerProcess = await startSigner(wholeFile, token, { custody, ledger });

/** A key that was made outside of any token, in a file. */
function outsideKey(name: string) {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const file = join(token.dir, `${name}.key`);
  writeFileSync(file, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  const spki = new Uint8Array(publicKey.export({ type: 'spki', format: 'der' }));
  const { d = '' } = privateKey.export({ format: 'jwk' });
  return { file, publicKey: importPublicKey(spki), plain: Buffer.from(d, 'base64url') };
}

/** The policy, which names these keys as ones that may be brought. */
async function allow(imports: readonly { key: string; fingerprint: string }[]): Promise<void> {
  const changed = { ...(JSON.parse(textOf(operators.policyBytes)) as object), imports };
  await order('policy.change', { policy: JSON.stringify(changed) });
}

async function wrapped(key: { file: string }): Promise<{ publicKey: string; wrapped: string }> {
  const { wrappingKey = '' } = await order('key.generate', { key: 'node' });
  return wrapKey(key.file, fromBase64(wrappingKey) ?? new Uint8Array(0));
}

async function tokenKeys() {
  const keys = await listTokenKeys({ dir: join(token.dir, 'token'), label: token.tokenLabel });
  return new Map(keys.map(({ label, attributes }) => [label, attributes]));
}

const endorse = (keyLabel: string) =>
  host.client.endorse([{ keyLabel, proposalResponsePayload: endorsementPayload() }]);
const refused = { code: 'CUSTODY_IMPORT_REFUSED', kind: 'denied' };

t.test('no key is brought that the policy does not name, whoever approves it', async (t) => {
  const publicKey = toBase64(ours.publicKey.spki);
  const importing = { key: 'node', publicKey, wrapped: 'AAAA' };
  await t.rejects(order('key.generate', { key: 'node' }), refused);
  await t.rejects(order('key.import', importing), refused);
  await allow([{ key: 'node', fingerprint: ours.publicKey.fingerprint }]);
  await t.rejects(order('key.import', { ...importing, key: 'node2' }), refused);
  const otherKey = toBase64(other.publicKey.spki);
  await t.rejects(order('key.import', { ...importing, publicKey: otherKey }), refused);
  await t.rejects(order('key.import', {}), refused);
  const absent = { code: 'HSM_WRAPPING_KEY_ABSENT', kind: 'conflict' };
  await t.rejects(order('key.import', importing), absent, 'a named key needs a way in');
  t.strictSame([...(await tokenKeys()).keys()], ['node']);
});

t.test(
  'what does not unwrap, or to another key than is named, leaves nothing behind',
  async (t) => {
    const good = await wrapped(ours);
    const bytes = Buffer.from(good.wrapped, 'base64');
    const broken = [bytes.subarray(0, 100), flip(bytes, 5), flip(bytes, bytes.length - 1)];
    for (const one of broken) {
      const importing = order('key.import', { key: 'node', ...good, wrapped: toBase64(one) });
      await t.rejects(importing, { code: 'HSM_IMPORT_FAILED', kind: 'broken' });
    }
    const { wrapped: foreign } = await wrapped(other);
    const importing = order('key.import', { key: 'node', ...good, wrapped: foreign });
    await t.rejects(importing, { code: 'HSM_KEY_UNPROVED' });
    t.strictSame([...(await tokenKeys()).keys()].toSorted(), ['node', 'node:wrapping']);
    await t.resolves(endorse('node'));
  },
);

t.test('a named key comes in by the token alone, and takes its place by a rotation', async (t) => {
  const good = await wrapped(ours);
  const { label, fingerprint, csr = '' } = await order('key.import', { key: 'node', ...good });
  t.strictSame([label, fingerprint], ['node~2', ours.publicKey.fingerprint]);
  const keys = await tokenKeys();
  t.strictSame([...keys.keys()].toSorted(), ['node', 'node~2'], 'the way in is closed');
  t.match(keys.get('node~2'), {
    sensitive: true,
    extractable: false,
    neverExtractable: false,
    local: false,
    modifiable: false,
    sign: true,
    decrypt: false,
  });
  const again = await order('key.rotate', { key: 'node' });
  t.match(again, { label: 'node~2', csr: /./ }, 'a rotation goes on with it');
  const { publicKey } = parseCsr(fromBase64(csr) ?? new Uint8Array(0));
  t.equal(publicKey.fingerprint, ours.publicKey.fingerprint);
  const named = { commonName: 'node', organizationalUnits: ['peer'] };
  const pem = utf8(certificatePem((await ca.issue(named, publicKey.spki)).der));
  const record = await host.client.certifyKey('node', pem);
  t.match(verifyRotation(record), { next: { version: 2 } });
  await host.client.retireKey('node', rotationReceipt(record));
  await t.resolves(endorse('node~2'));
  const log = readFileSync(join(custody.auditDir, 'audit.jsonl'));
  t.notOk(log.includes(ours.plain), 'nor is it in the log');
});

t.test('an imported key is told of as one, and serves after a restart', async (t) => {
  await host.kill();
  host = await startSigner(wholeFile, token, { custody, ledger });
  await t.resolves(endorse('node~2'));
  const { keys } = await host.client.report();
  t.match(keys, [{ label: 'node~2', isImported: true }]);
  await t.rejects(allow([]), { code: 'HSM_IMPORT_UNNAMED' }, 'nor is it forgotten');
});

t.test('a key does not pass for another kind than the record says', async (t) => {
  const file = join(token.dir, 'state', 'keys.json');
  await host.stop();
  const good = readFileSync(file, 'utf8');
  const start = async (changes: object) => {
    const outcome: unknown = await startSigner(wholeFile, token, changes).catch(
      (error: unknown) => error,
    );
    if (outcome instanceof SignerRefused) return outcome.code;
    throw new Error('the host has started');
  };
  t.equal(await start({}), 'HSM_IMPORT_UNNAMED', 'who takes no orders knows no imports');
  writeFileSync(file, good.replace(/ *"imported": .*\n/, ''));
  t.equal(await start({ custody }), 'HSM_KEY_UNSAFE', 'the mark is gone');
  const { fingerprint } = other.publicKey;
  writeFileSync(file, good.replace(ours.publicKey.fingerprint, fingerprint));
  t.equal(await start({ custody }), 'HSM_IMPORT_UNNAMED', 'a mark that no policy knows');
});

t.test('a policy names keys by exact fingerprints', async (t) => {
  const read = JSON.parse(textOf(operators.policyBytes)) as object;
  const { fingerprint } = ours.publicKey;
  const parse = (imports: unknown) =>
    parseOperatorPolicy(utf8(JSON.stringify({ ...read, imports })));
  const wrong = ['*', fingerprint.toUpperCase(), fingerprint.slice(1), ''];
  for (const one of wrong) {
    t.throws(() => parse([{ key: 'node', fingerprint: one }]), {
      code: 'CUSTODY_DOCUMENT_INVALID',
    });
  }
  const policy = parse([{ key: 'node', fingerprint }]);
  t.ok(policy.mayImport('node', fingerprint));
  t.notOk(policy.mayImport('node', other.publicKey.fingerprint));
  t.notOk(policy.mayImport('other', fingerprint));
});

function flip(bytes: Uint8Array, at: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}
