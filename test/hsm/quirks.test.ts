import { randomBytes } from 'node:crypto';
import pkcs11js from 'pkcs11js';
import t from 'tap';
import type { Test } from 'tap';
import { normaliseEcdsa, verifyFabric } from '#crypto';
import { digestOf } from '../../hsm/digest.ts';
import { openPinRecord } from '../../hsm/pin-record.ts';
import { classifyPkcs11, readPkcs11Error } from '../../hsm/pkcs11-errors.ts';
import { findTokenKey } from '../../hsm/pkcs11-keys.ts';
import { initialiseModule, loadModule } from '../../hsm/pkcs11-module.ts';
import type { Handle, Pkcs11 } from '../../hsm/pkcs11-module.ts';
import { openToken } from '../../hsm/pkcs11-token.ts';
import type { Token } from '../../hsm/pkcs11-token.ts';
import { proveKey } from '../../hsm/prove-key.ts';
import { SignSession } from '../../hsm/sign-session.ts';
import { moduleKinds } from '../support/pkcs11-modules.ts';
import type { ModuleKind } from '../support/pkcs11-modules.ts';
import { generatePair } from './token-keys.ts';
import { temporaryDir } from '../support/temporary-dir.ts';

const label = 'quirks';
const pin = randomBytes(12).toString('hex');
const writable = pkcs11js.CKF_SERIAL_SESSION | pkcs11js.CKF_RW_SESSION;

/** What one module's tests share: its token, logged in to, with one key made in it. */
interface Opened {
  readonly pkcs11: Pkcs11;
  readonly token: Token;
  readonly openAnew: (presented: string) => Token;
}

async function open(t: Test, kind: ModuleKind): Promise<Opened> {
  const { file, environment } = await kind.prepare(t);
  // A module reads its environment in the process that loads it.
  for (const [name, value] of Object.entries(environment)) process.env[name] = value;
  const pkcs11 = loadModule(file);
  initialiseModule(pkcs11, file);
  t.teardown(() => pkcs11.C_Finalize());
  makeToken(pkcs11);
  const openAnew = (presented: string) =>
    openToken(pkcs11, label, presented, openPinRecord(temporaryDir(t)));
  return { pkcs11, token: openAnew(pin), openAnew };
}

function makeToken(pkcs11: Pkcs11): void {
  const [empty] = pkcs11.C_GetSlotList(true);
  pkcs11.C_InitToken(empty as Handle, 'so pin', label.padEnd(32));
  const isOurs = (slot: Handle) => pkcs11.C_GetTokenInfo(slot).label.trimEnd() === label;
  const slot = pkcs11.C_GetSlotList(true).find(isOurs) as Handle;
  const session = pkcs11.C_OpenSession(slot, writable);
  pkcs11.C_Login(session, pkcs11js.CKU_SO, 'so pin');
  pkcs11.C_InitPIN(session, pin);
  pkcs11.C_Logout(session);
  pkcs11.C_Login(session, pkcs11js.CKU_USER, pin);
  generatePair(pkcs11, session, { label: 'node' });
  pkcs11.C_CloseSession(session);
}

function classOf(act: () => unknown): string {
  try {
    act();
    return 'succeeded';
  } catch (error) {
    return classifyPkcs11(readPkcs11Error(error), 'sign');
  }
}

for (const kind of moduleKinds) {
  t.test(
    `what PKCS#11 leaves open, ${kind.name} does in a way we live with`,
    { skip: kind.missing },
    async (t) => {
      const { pkcs11, token, openAnew } = await open(t, kind);
      const key = findTokenKey(token, 'node');
      const session = new SignSession(pkcs11, token.slot);
      const content = Buffer.from('content');
      const digest = digestOf(content);

      t.test('a key made in it keeps its attributes, and proves itself', async (t) => {
        t.doesNotThrow(() => proveKey(token, key));
      });
      t.test('signatures are 64 raw bytes, and verify once their s is low', async (t) => {
        const outcome = session.sign({ key: key.handle, digest });
        if (!('raw' in outcome)) throw new Error(outcome.failed.name);
        t.equal(outcome.raw.length, 64);
        t.ok(verifyFabric(key.publicKey, content, normaliseEcdsa(outcome.raw, 'P-256')));
      });
      t.test('a signature that fails spoils no later one', async (t) => {
        for (let round = 0; round < 5; round += 1) {
          const failed = session.sign({ key: Buffer.alloc(8, 0x7e), digest });
          t.ok('failed' in failed, 'a handle of nothing');
          t.ok('raw' in session.sign({ key: key.handle, digest }));
        }
      });
      t.test('a second login is no failure, and a wrong PIN is a wrong PIN', async (t) => {
        t.doesNotThrow(() => token.logIn(pin));
        const login = () => pkcs11.C_Login(token.anchor, pkcs11js.CKU_USER, pin);
        t.equal(classOf(login), 'relogin');
        pkcs11.C_Logout(token.anchor);
        t.throws(() => openAnew('not the pin'), { code: 'HSM_PIN_WRONG' });
        token.logIn(pin);
        t.ok('raw' in session.sign({ key: findTokenKey(token, 'node').handle, digest }));
      });
      t.test('a logout behind our back is noticed as what it is', async (t) => {
        pkcs11.C_Logout(token.anchor);
        const outcome = session.sign({ key: key.handle, digest });
        if (!('failed' in outcome)) throw new Error('it signed without a login');
        t.match(classifyPkcs11(outcome.failed, 'sign'), /^(relogin|refind|newSession)$/);
        token.logIn(pin);
        t.ok('raw' in session.sign({ key: findTokenKey(token, 'node').handle, digest }));
      });
      t.test('a session that is gone is a session that is gone', async (t) => {
        const gone = pkcs11.C_OpenSession(token.slot, pkcs11js.CKF_SERIAL_SESSION);
        pkcs11.C_CloseSession(gone);
        const mechanism = { mechanism: pkcs11js.CKM_ECDSA };
        const sign = () => pkcs11.C_SignInit(gone, mechanism, key.handle);
        t.equal(classOf(sign), 'newSession');
      });
      t.test('what is not there is an answer, and leaves no search open', async (t) => {
        t.throws(() => findTokenKey(token, 'nobody'), { code: 'HSM_KEY_ABSENT' });
        t.doesNotThrow(() => findTokenKey(token, 'node'));
      });
      t.test('a key that may leave is refused', async (t) => {
        const writer = pkcs11.C_OpenSession(token.slot, writable);
        const made = classOf(() =>
          generatePair(pkcs11, writer, { label: 'loose', extractable: true }),
        );
        pkcs11.C_CloseSession(writer);
        if (made !== 'succeeded') return t.equal(made, 'caller', 'the module makes none');
        return t.throws(() => findTokenKey(token, 'loose'), { code: 'HSM_KEY_UNSAFE' });
      });
      t.test('an unknown mechanism is the caller’s mistake', async (t) => {
        const one = pkcs11.C_OpenSession(token.slot, pkcs11js.CKF_SERIAL_SESSION);
        const { handle } = findTokenKey(token, 'node');
        const sign = () => pkcs11.C_SignInit(one, { mechanism: 0x80001234 }, handle);
        t.equal(classOf(sign), 'caller');
        pkcs11.C_CloseSession(one);
      });
      session.close();
    },
  );
}
