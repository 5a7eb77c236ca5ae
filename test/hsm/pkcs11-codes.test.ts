import pkcs11js from 'pkcs11js';
import t from 'tap';
import { pkcs11Codes } from '../../hsm/pkcs11-codes.ts';
import { classifyPkcs11, readPkcs11Error } from '../../hsm/pkcs11-errors.ts';
import { initialiseModule, loadModule } from '../../hsm/pkcs11-module.ts';
import { findSoftHsmModule } from '#softhsm-config';
import type { TestScope } from '../support/temporary-dir.ts';

function initialisedModule(t: TestScope) {
  const file = findSoftHsmModule();
  const module = loadModule(file);
  initialiseModule(module, file);
  t.teardown(() => module.C_Finalize());
  return module;
}

/** Values of v3.1 that the binding has no name for. */
const unnamed = new Map([
  ['CKR_ACTION_PROHIBITED', 0x1b],
  ['CKR_CURVE_NOT_SUPPORTED', 0x140],
  ['CKR_AEAD_DECRYPT_FAILED', 0x42],
  ['CKR_TOKEN_RESOURCE_EXCEEDED', 0x201],
  ['CKR_OPERATION_CANCEL_FAILED', 0x202],
  ['CKR_KEY_EXHAUSTED', 0x203],
]);

const inHeaders = Object.entries(pkcs11js as unknown as Record<string, number>).filter(
  ([name]) => name.startsWith('CKR_') && name !== 'CKR_OK' && name !== 'CKR_VENDOR_DEFINED',
);

t.test('every return value of PKCS#11 v3.1 has a class, and nothing else has', async (t) => {
  const expected = new Map([...inHeaders, ...unnamed]);
  const seen = new Map([...pkcs11Codes].map(([code, [name]]) => [name, code]));
  const sorted = (names: Map<string, number>) =>
    [...names].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, code]) => `${name}=${code}`);
  t.ok(inHeaders.length > 80, 'the binding names most of them');
  t.strictSame(sorted(seen), sorted(expected));
});

t.test('the classes lead to what the errors need', async (t) => {
  const classOf = (code: number) => classifyPkcs11({ code, name: '' }, 'sign');
  const rows: readonly (readonly [class_: string, ...codes: number[]])[] = [
    ['caller', 0x21, 0x07, 0x70],
    ['newSession', 0xb0, 0xb3, 0xb4, 0xb5, 0xb6, 0xb7, 0xb8, 0x90, 0x91],
    ['refind', 0x82, 0x60],
    ['relogin', 0x101],
    ['reinit', 0x30, 0x32, 0xe0, 0xe1, 0x05, 0x190],
    ['operator', 0xa0, 0xa4, 0xa3, 0x102, 0x02],
    ['saturation', 0xb1, 0x31, 0x200],
  ];
  for (const [class_, ...codes] of rows) {
    for (const code of codes) t.equal(classOf(code), class_, `0x${code.toString(16)}`);
  }
});

t.test('an unknown value spoils a session, but stops a login', async (t) => {
  const vendor = { code: 0x80000042, name: '' };
  t.equal(classifyPkcs11(vendor, 'sign'), 'newSession');
  t.equal(classifyPkcs11(vendor, 'setup'), 'operator');
  t.equal(classifyPkcs11({ code: -1, name: '' }, 'sign'), 'operator', 'not from the token at all');
});

t.test('the value is read from every shape the binding throws', async (t) => {
  const module = initialisedModule(t);
  const nowhere = Buffer.alloc(8, 9);
  const thrownBy = (act: () => unknown) => {
    try {
      act();
    } catch (error) {
      return error;
    }
    throw new Error('nothing was thrown');
  };
  const withCode = thrownBy(() => module.C_CloseSession(nowhere));
  t.match(withCode, { code: 0xb3 });
  t.strictSame(readPkcs11Error(withCode), { code: 0xb3, name: 'CKR_SESSION_HANDLE_INVALID' });
  const bare = thrownBy(() =>
    module.C_SetAttributeValue(nowhere, nowhere, [{ type: 3, value: '' }]),
  );
  t.notMatch(bare, { code: 0xb3 }, 'this function throws no code');
  t.strictSame(readPkcs11Error(bare), { code: 0xb3, name: 'CKR_SESSION_HANDLE_INVALID' });
  const wrongType = thrownBy(() => module.C_CloseSession(1 as unknown as Buffer));
  t.strictSame(readPkcs11Error(wrongType), { code: -1, name: 'NOT_FROM_TOKEN' });
  t.strictSame(readPkcs11Error(new Error('CKR_VENDOR_DEFINED:2147483714')), {
    code: 0x80000042,
    name: 'CKR_0x80000042',
  });
  t.strictSame(readPkcs11Error(new Error('CKR_VENDOR_DEFINED:515')), {
    code: 0x203,
    name: 'CKR_KEY_EXHAUSTED',
  });
  for (const odd of [undefined, 'text', {}, { code: 'EACCES' }, { code: 0 }]) {
    t.equal(readPkcs11Error(odd).code, -1);
  }
});

t.test('a module that someone initialised before is refused', async (t) => {
  const module = initialisedModule(t);
  const again = () => initialiseModule(module, 'softhsm');
  t.throws(again, { code: 'HSM_MODULE_SHARED', kind: 'fatal' });
});

t.test('a missing module is a fault', async (t) => {
  t.throws(() => loadModule('/nonexistent/module.so'), { code: 'HSM_MODULE_MISSING' });
});
