import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pkcs11js from 'pkcs11js';
import t from 'tap';
import { readSecret } from '#base';
import { digestOf } from '../../hsm/digest.ts';
import { openPinRecord } from '../../hsm/pin-record.ts';
import { findTokenKey } from '../../hsm/pkcs11-keys.ts';
import { initialiseModule, loadModule } from '../../hsm/pkcs11-module.ts';
import type { Pkcs11 } from '../../hsm/pkcs11-module.ts';
import { openToken } from '../../hsm/pkcs11-token.ts';
import type { Token } from '../../hsm/pkcs11-token.ts';
import { proveKey } from '../../hsm/prove-key.ts';
import { SignSession } from '../../hsm/sign-session.ts';
import { temporaryToken } from '../support/softhsm.ts';
import type { TestToken } from '../support/softhsm.ts';
import { destroyPublicKeys, generatePair, storePublicKey } from './token-keys.ts';
import { temporaryDir } from '../support/temporary-dir.ts';
import type { TestScope } from '../support/temporary-dir.ts';

const made = await temporaryToken(t, { keys: [{ label: 'node', role: 'node' }] });
process.env['SOFTHSM2_CONF'] = made.softhsmConfig;

function loadedModule(t: TestScope): Pkcs11 {
  const module = loadModule(made.module);
  initialiseModule(module, made.module);
  t.teardown(() => module.C_Finalize());
  return module;
}

function openedToken(t: TestScope, of: TestToken = made): Token {
  const record = openPinRecord(temporaryDir(t));
  return openToken(loadedModule(t), of.tokenLabel, readSecret(of.pinFile), record);
}

/** A logged-in session that may write to the token. */
function writableSession({ pkcs11, slot }: Token) {
  return pkcs11.C_OpenSession(slot, pkcs11js.CKF_SERIAL_SESSION | pkcs11js.CKF_RW_SESSION);
}

const pinCountLow = pkcs11js.CKF_USER_PIN_COUNT_LOW;

t.test('a token is found by its label, and only one may carry it', async (t) => {
  const module = loadedModule(t);
  const record = openPinRecord(temporaryDir(t));
  t.throws(() => openToken(module, 'Org9', 'pin', record), { code: 'HSM_TOKEN_ABSENT' });
});

t.test('two tokens of one label are refused', async (t) => {
  const other = await temporaryToken(t, { keys: [{ label: 'node', role: 'node' }] });
  const both = temporaryDir(t);
  for (const one of [made, other]) {
    cpSync(join(one.dir, 'token', 'tokens'), both, { recursive: true });
  }
  const config = join(temporaryDir(t), 'softhsm2.conf');
  writeFileSync(config, `directories.tokendir = ${both}\nobjectstore.backend = file\n`);
  process.env['SOFTHSM2_CONF'] = config;
  t.teardown(() => {
    process.env['SOFTHSM2_CONF'] = made.softhsmConfig;
  });
  const module = loadedModule(t);
  const record = openPinRecord(temporaryDir(t));
  t.throws(() => openToken(module, 'Org1', 'pin', record), { code: 'HSM_TOKEN_AMBIGUOUS' });
});

t.test('a wrong PIN is tried once, and never again by a restart', async (t) => {
  const state = temporaryDir(t);
  const module = loadedModule(t);
  const open = (pin: string) => openToken(module, 'Org1', pin, openPinRecord(state));
  const [slot] = module.C_GetSlotList(true).filter((one) => {
    return module.C_GetTokenInfo(one).label.trimEnd() === 'Org1';
  });
  const attemptSeen = () => (module.C_GetTokenInfo(slot as Buffer).flags & pinCountLow) !== 0;
  t.throws(() => open('wrong-pin'), { code: 'HSM_PIN_WRONG', kind: 'fatal' });
  t.ok(attemptSeen(), 'the token counted the attempt');
  const right = open(readSecret(made.pinFile));
  t.notOk(attemptSeen(), 'a login clears the count');
  module.C_Logout(right.anchor);
  const again = { code: 'HSM_PIN_WRONG', detail: { reason: 'refused at an earlier start' } };
  t.throws(() => open('wrong-pin'), again);
  t.notOk(attemptSeen(), 'the token heard nothing of the second one');
  t.throws(() => open('another-wrong-pin'), {
    code: 'HSM_PIN_WRONG',
    detail: { reason: undefined },
  });
  t.notMatch(readFileSync(join(state, 'pin-refused'), 'utf8'), /wrong/, 'the PIN is not kept');
});

t.test('a damaged record of refused PINs stops the login', async (t) => {
  const state = temporaryDir(t);
  writeFileSync(join(state, 'pin-refused'), 'junk');
  const module = loadedModule(t);
  const open = () => openToken(module, 'Org1', 'some-pin', openPinRecord(state));
  t.throws(open, { code: 'HSM_GUARD_CORRUPT' });
});

t.test('a key made by provisioning is found, with its public half', async (t) => {
  const key = findTokenKey(openedToken(t), 'node');
  t.strictSame(key.publicKey.spki, made.certificateOf.get('node')?.certificate.publicKey.spki);
});

t.test('keys that may leave the token, or that are ambiguous, are refused', async (t) => {
  const token = openedToken(t);
  const { pkcs11 } = token;
  const session = writableSession(token);
  const unsafe = { code: 'HSM_KEY_UNSAFE', kind: 'fatal' };
  t.throws(() => findTokenKey(token, 'nobody'), { code: 'HSM_KEY_ABSENT' });
  generatePair(pkcs11, session, { label: 'extractable', extractable: true });
  t.throws(() => findTokenKey(token, 'extractable'), unsafe);
  generatePair(pkcs11, session, { label: 'readable', sensitive: false });
  t.throws(() => findTokenKey(token, 'readable'), unsafe);
  generatePair(pkcs11, session, { label: 'mute', sign: false });
  t.throws(() => findTokenKey(token, 'mute'), unsafe);
  generatePair(pkcs11, session, { label: 'fleeting', onToken: false });
  t.throws(() => findTokenKey(token, 'fleeting'), unsafe);
  generatePair(pkcs11, session, { label: 'large', curve: 'P-384' });
  t.throws(() => findTokenKey(token, 'large'), unsafe);
  const ambiguous = { code: 'HSM_KEY_AMBIGUOUS', kind: 'fatal' };
  generatePair(pkcs11, session, { label: 'twice', id: Buffer.from('first') });
  generatePair(pkcs11, session, { label: 'twice', id: Buffer.from('second') });
  t.throws(() => findTokenKey(token, 'twice'), ambiguous, 'two keys of one label');
  generatePair(pkcs11, session, { label: 'one', id: Buffer.from('shared') });
  generatePair(pkcs11, session, { label: 'other', id: Buffer.from('shared') });
  t.throws(() => findTokenKey(token, 'one'), ambiguous, 'two keys of one id');
});

t.test('a public half that is not the key of its private half is found out', async (t) => {
  const token = openedToken(t);
  const { pkcs11 } = token;
  const session = writableSession(token);
  const id = Buffer.from('masked');
  generatePair(pkcs11, session, { label: 'masked', id });
  const foreign = generatePair(pkcs11, session, { label: 'foreign' });
  destroyPublicKeys(pkcs11, session, id);
  storePublicKey(pkcs11, session, { label: 'masked', id, point: foreign });
  const masked = findTokenKey(token, 'masked');
  t.throws(() => proveKey(token, masked), { code: 'HSM_KEY_UNPROVED' });
});

t.test('a failed signature does not spoil the next one', async (t) => {
  const token = openedToken(t);
  const { pkcs11 } = token;
  generatePair(pkcs11, writableSession(token), { label: 'wide', curve: 'P-384' });
  pkcs11.C_FindObjectsInit(token.anchor, [
    { type: pkcs11js.CKA_CLASS, value: pkcs11js.CKO_PRIVATE_KEY },
    { type: pkcs11js.CKA_LABEL, value: 'wide' },
  ]);
  const [wide] = pkcs11.C_FindObjects(token.anchor, 1);
  pkcs11.C_FindObjectsFinal(token.anchor);
  const { handle } = findTokenKey(token, 'node');
  const session = new SignSession(pkcs11, token.slot);
  const digest = digestOf(Uint8Array.of(1));
  // Its signature is longer than the space for it, which leaves the operation open.
  const failed = session.sign({ key: wide as Buffer, digest });
  t.strictSame(failed, { failed: { code: 0x150, name: 'CKR_BUFFER_TOO_SMALL' } });
  t.match(session.sign({ key: handle, digest }), { raw: Uint8Array });
  session.close();
});
