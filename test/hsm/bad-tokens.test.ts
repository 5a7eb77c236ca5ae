import t from 'tap';
import pkcs11js from 'pkcs11js';
import { faultShim, shimIsMissing } from '../support/fault-shim.ts';
import type { ShimFunction } from '../support/fault-shim.ts';
import { eventually } from '../support/eventually.ts';
import { temporaryToken } from '../support/softhsm.ts';
import { openShimmed } from './shimmed-token.ts';

const skip = shimIsMissing();
const token = await temporaryToken(t, { keys: [{ label: 'node', role: 'node' }] });

/** A token that cannot be opened: what it answers to what, the fault, and whether the host waits for it. */
const cases: readonly (readonly [
  at: ShimFunction,
  answer: number,
  code: string,
  outcome: 'refuses' | 'waits',
])[] = [
  ['C_Initialize', pkcs11js.CKR_CANT_LOCK, 'HSM_MODULE_UNSAFE', 'refuses'],
  ['C_Initialize', pkcs11js.CKR_CRYPTOKI_ALREADY_INITIALIZED, 'HSM_MODULE_SHARED', 'refuses'],
  ['C_Initialize', pkcs11js.CKR_DEVICE_ERROR, 'HSM_TOKEN_LOST', 'waits'],
  ['C_GetTokenInfo', pkcs11js.CKR_TOKEN_NOT_RECOGNIZED, 'HSM_TOKEN_LOST', 'waits'],
  ['C_GetTokenInfo', pkcs11js.CKR_HOST_MEMORY, 'HSM_TOKEN_REFUSES', 'refuses'],
  ['C_OpenSession', pkcs11js.CKR_SESSION_COUNT, 'HSM_SESSION_BUSY', 'waits'],
  ['C_Login', pkcs11js.CKR_USER_PIN_NOT_INITIALIZED, 'HSM_LOGIN_FAILED', 'refuses'],
  ['C_FindObjectsInit', pkcs11js.CKR_DEVICE_MEMORY, 'HSM_SESSION_BUSY', 'waits'],
  ['C_GetAttributeValue', pkcs11js.CKR_DEVICE_REMOVED, 'HSM_TOKEN_LOST', 'waits'],
  ['C_Sign', pkcs11js.CKR_FUNCTION_FAILED, 'HSM_SIGN_FAILED', 'waits'],
];

t.test(
  'a token that cannot be opened says why, and is waited for where that helps',
  { skip },
  async (t) => {
    for (const [at, answer, code, outcome] of cases) {
      const shim = faultShim(t, token.module);
      shim.control.fail(at, answer);
      const name = `${at} answers 0x${answer.toString(16)}`;
      const opening = openShimmed(t, token, { shim });
      if (outcome === 'refuses') {
        await t.rejects(opening, { code, kind: 'fatal' }, name);
        continue;
      }
      const { tokens, signer } = await opening;
      t.match(tokens.downReason, { code }, name);
      const order = { keyLabel: 'node', content: Buffer.from(name) };
      await t.rejects(signer.sign([order]), { code: 'HSM_TOKEN_LOST', kind: 'busy' });
      shim.control.heal();
      await eventually(() => signer.sign([order]));
    }
  },
);

t.test(
  'a token whose every other signature is wrong signs nothing wrongly',
  { skip },
  async (t) => {
    const { control, signer, tokens } = await openShimmed(t, token);
    control.set('flipEvery', 2);
    const sign = () =>
      signer.sign([{ keyLabel: 'node', content: Buffer.from('content'), verify: true }]);
    t.equal((await sign()).length, 1);
    await t.rejects(sign(), { code: 'HSM_SIGNATURE_INVALID', kind: 'broken' });
    t.equal(tokens.meter.counts.signaturesWrong, 2, 'two processes were tried');
  },
);
