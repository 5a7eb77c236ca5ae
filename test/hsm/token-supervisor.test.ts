import { copyFileSync, existsSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pkcs11js from 'pkcs11js';
import t from 'tap';
import { verifyFabric } from '#crypto';
import { always, faultShim, shimIsMissing } from '../support/fault-shim.ts';
import { eventually } from '../support/eventually.ts';
import { temporaryToken } from '../support/softhsm.ts';
import { openShimmed } from './shimmed-token.ts';
import type { ShimmedToken } from './shimmed-token.ts';
import { temporaryDir } from '../support/temporary-dir.ts';

const skip = shimIsMissing();
const token = await temporaryToken(t, { keys: [{ label: 'node', role: 'node' }] });
const lost = { code: 'HSM_TOKEN_LOST', kind: 'busy' };
let contents = 0;

async function sign(shimmed: ShimmedToken): Promise<void> {
  contents += 1;
  const content = Buffer.from(`content ${contents}`);
  const [signature] = await shimmed.signer.sign([{ keyLabel: 'node', content, verify: true }]);
  if (verifyFabric(shimmed.publicKeyOf('node'), content, signature as Uint8Array)) return;
  throw new Error('a wrong signature');
}

function onlyProcess({ tokens }: ShimmedToken) {
  const [process, ...others] = tokens.processes;
  if (process === undefined || others.length > 0) throw new Error('not one process');
  return process;
}

t.test('a call that hangs is refused, and another process takes over', { skip }, async (t) => {
  const shimmed = await openShimmed(t, token);
  const { control, tokens } = shimmed;
  await sign(shimmed);
  const hanging = onlyProcess(shimmed);
  control.hang('C_Sign', 1);
  await t.rejects(sign(shimmed), { ...lost, detail: { name: 'NO_ANSWER' } });
  t.equal(onlyProcess(shimmed), hanging, 'before it is known whether it ever answers');
  await eventually(() => sign(shimmed));
  t.equal(control.fault('C_Sign', 'hung'), 1);
  t.ok(tokens.meter.counts.hangs > 0);
  t.not(onlyProcess(shimmed), hanging);
  await eventually(() => {
    if (existsSync(`/proc/${hanging.pid}`)) throw new Error('the process that hung still runs');
  });
});

t.test('a call that is only late costs its process nothing', { skip }, async (t) => {
  const shimmed = await openShimmed(t, token);
  const { control, tokens } = shimmed;
  await sign(shimmed);
  const late = onlyProcess(shimmed);
  control.hang('C_Sign', 1);
  await t.rejects(sign(shimmed), lost);
  control.heal();
  await eventually(() => sign(shimmed));
  t.equal(onlyProcess(shimmed), late);
  t.equal(tokens.meter.counts.sessionsPoisoned, 0);
});

t.test('what hangs in one of two processes is signed by the other', { skip }, async (t) => {
  const shimmed = await openShimmed(t, token, { processes: 2 });
  const { control, tokens } = shimmed;
  await eventually(() => {
    if (tokens.dispatch.seats.size < 2) throw new Error('not two');
  });
  for (let count = 0; count < 20; count += 1) await sign(shimmed);
  control.hang('C_Sign', 1);
  await Promise.all(Array.from({ length: 50 }, () => sign(shimmed)));
  t.equal(control.fault('C_Sign', 'hung'), 1);
});

t.test('a token that only hangs is down, and its callers hear so', { skip }, async (t) => {
  const shimmed = await openShimmed(t, token, { bounds: { takeoverWaitMsMax: 100 } });
  shimmed.control.hang('C_Sign');
  await t.rejects(sign(shimmed), lost);
  await t.rejects(sign(shimmed), lost, 'at once from then on');
  t.not(shimmed.tokens.breaker, 'closed');
  shimmed.control.heal();
  await eventually(() => sign(shimmed));
  t.equal(shimmed.tokens.breaker, 'closed');
});

t.test('a process that dies costs nobody a signature', { skip }, async (t) => {
  const shimmed = await openShimmed(t, token);
  for (let round = 0; round < 3; round += 1) {
    const dying = onlyProcess(shimmed);
    const signing = Promise.all(Array.from({ length: 50 }, () => sign(shimmed)));
    process.kill(dying.pid ?? 0, 'SIGKILL');
    await signing;
    t.not(onlyProcess(shimmed), dying);
  }
});

t.test('the process that stands by is the one that takes over', { skip }, async (t) => {
  const shimmed = await openShimmed(t, token, { bounds: { standbyDelayMs: 0 } });
  const { tokens } = shimmed;
  const standby = await eventually(() => tokens.standbyPid ?? Promise.reject(new Error('none')));
  onlyProcess(shimmed).kill();
  await sign(shimmed);
  t.equal(onlyProcess(shimmed).pid, standby);
});

t.test('of two processes one is enough', { skip }, async (t) => {
  const shimmed = await openShimmed(t, token, { processes: 2 });
  const { tokens } = shimmed;
  const both = () => (tokens.processes.size === 2 ? true : Promise.reject(new Error('not two')));
  await eventually(both);
  const [first] = tokens.processes;
  first?.kill();
  await Promise.all(Array.from({ length: 50 }, () => sign(shimmed)));
  t.equal(tokens.breaker, 'closed');
  await eventually(both);
});

t.test(
  '002-19 an outage refuses callers at once, and ends with the token’s return',
  { skip },
  async (t) => {
    const shimmed = await openShimmed(t, token);
    const { control, tokens } = shimmed;
    await sign(shimmed);
    for (const name of ['C_SignInit', 'C_Sign', 'C_OpenSession'] as const) {
      control.fail(name, pkcs11js.CKR_DEVICE_REMOVED, always);
    }
    await t.rejects(sign(shimmed), lost);
    const calls = await Promise.allSettled(Array.from({ length: 100 }, () => sign(shimmed)));
    const codes = calls.map((call) => (call.status === 'rejected' ? call.reason.code : 'signed'));
    t.strictSame(new Set(codes), new Set(['HSM_TOKEN_LOST']));
    t.ok(['open', 'halfOpen'].includes(tokens.breaker));
    control.heal();
    await eventually(() => sign(shimmed));
    t.equal(tokens.breaker, 'closed');
    t.equal(tokens.meter.counts.sessionsPoisoned, 0);
  },
);

t.test('a token that is pulled out and put back is used again', { skip }, async (t) => {
  const shimmed = await openShimmed(t, token);
  await sign(shimmed);
  shimmed.control.set('removed', 1);
  await t.rejects(sign(shimmed), lost);
  shimmed.control.set('removed', 0);
  await eventually(() => sign(shimmed));
});

t.test('another token of the same label signs nothing', { skip }, async (t) => {
  const theirs = await temporaryToken(t, { keys: [{ label: 'node', role: 'node' }] });
  const ours = await temporaryToken(t, { keys: [{ label: 'node', role: 'node' }] });
  // Same label, same PIN, a key of the same label: all but the key itself.
  const pinFile = join(temporaryDir(t), 'pin');
  copyFileSync(ours.pinFile, pinFile);
  const shimmed = await openShimmed(t, ours, { pinFile });
  await sign(shimmed);
  const tokens = join(ours.dir, 'token', 'tokens');
  shimmed.control.set('removed', 1);
  await t.rejects(sign(shimmed), lost);
  renameSync(tokens, `${tokens}.away`);
  renameSync(join(theirs.dir, 'token', 'tokens'), tokens);
  copyFileSync(theirs.pinFile, pinFile);
  const signatures = shimmed.control.calls('C_Sign');
  shimmed.control.set('removed', 0);
  await eventually(() => {
    if (shimmed.tokens.downReason?.code !== 'HSM_KEY_MISMATCH') throw new Error('not yet');
  });
  await t.rejects(sign(shimmed), { ...lost, detail: { reason: 'HSM_KEY_MISMATCH' } });
  t.equal(shimmed.control.calls('C_Sign'), signatures, 'it was not asked for a single signature');
});

t.test('a PIN that was changed on the token is tried once', { skip }, async (t) => {
  const pinFile = join(temporaryDir(t), 'pin');
  copyFileSync(token.pinFile, pinFile);
  const shimmed = await openShimmed(t, token, { pinFile });
  const { control, tokens } = shimmed;
  writeFileSync(pinFile, 'not-the-pin-any-more');
  const logins = control.calls('C_Login');
  control.fail('C_SignInit', pkcs11js.CKR_DEVICE_REMOVED, 1);
  onlyProcess(shimmed).kill();
  await t.rejects(sign(shimmed), { ...lost, detail: { reason: 'HSM_PIN_WRONG' } });
  await eventually(() => {
    if (tokens.downReason?.detail['reason'] === undefined) throw new Error('not yet');
  });
  t.match(tokens.downReason?.detail, { reason: 'refused at an earlier start' });
  t.equal(control.calls('C_Login'), logins + 1);
  copyFileSync(token.pinFile, pinFile);
  await eventually(() => sign(shimmed));
});

t.test('a locked PIN is not tried', { skip }, async (t) => {
  const shim = faultShim(t, token.module);
  shim.control.set('tokenFlags', pkcs11js.CKF_USER_PIN_LOCKED);
  await t.rejects(openShimmed(t, token, { shim }), { code: 'HSM_PIN_LOCKED', kind: 'fatal' });
  t.equal(shim.control.calls('C_Login'), 0);
  shim.control.heal();
  for (const [code, fault] of [
    [pkcs11js.CKR_PIN_LOCKED, 'HSM_PIN_LOCKED'],
    [pkcs11js.CKR_PIN_EXPIRED, 'HSM_PIN_EXPIRED'],
    [pkcs11js.CKR_USER_PIN_NOT_INITIALIZED, 'HSM_LOGIN_FAILED'],
  ] as const) {
    shim.control.fail('C_Login', code, 1);
    await t.rejects(openShimmed(t, token, { shim }), { code: fault, kind: 'fatal' });
  }
  await sign(await openShimmed(t, token, { shim }));
});
