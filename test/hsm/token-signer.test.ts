import t from 'tap';
import { derToRaw, isLowS, verifyFabric } from '#crypto';
import { pkcs11Codes } from '../../hsm/pkcs11-codes.ts';
import type { Pkcs11Class } from '../../hsm/pkcs11-codes.ts';
import { always, shimIsMissing } from '../support/fault-shim.ts';
import { eventually } from '../support/eventually.ts';
import { temporaryToken } from '../support/softhsm.ts';
import { openShimmed } from './shimmed-token.ts';
import type { ShimmedToken } from './shimmed-token.ts';

const skip = shimIsMissing();
const token = await temporaryToken(t, {
  keys: [
    { label: 'node', role: 'node' },
    { label: 'other', role: 'node' },
  ],
});

let contents = 0;

function fresh(): Uint8Array {
  contents += 1;
  return Buffer.from(`content ${contents}`);
}

/** Signs a content of its own, and says what became of it. */
async function outcome(shimmed: ShimmedToken, verify = false): Promise<string> {
  const content = fresh();
  try {
    const [signature] = await shimmed.signer.sign([{ keyLabel: 'node', content, verify }]);
    const isGood = verifyFabric(shimmed.publicKeyOf('node'), content, signature as Uint8Array);
    return isGood ? 'signed' : 'signed wrongly';
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
}

function serves(shimmed: ShimmedToken): Promise<void> {
  return eventually(async () => {
    const last = await outcome(shimmed, true);
    if (last !== 'signed') throw new Error(last);
  });
}

t.test('every signature is low-S DER that verifies, whatever the token answered', async (t) => {
  const shimmed = await openShimmed(t, token);
  const orders = Array.from({ length: 300 }, () => ({ keyLabel: 'node', content: fresh() }));
  const signatures = await shimmed.signer.sign(orders);
  const key = shimmed.publicKeyOf('node');
  const bad = signatures.filter((signature, index) => {
    const low = isLowS('P-256', derToRaw(signature, 32));
    return !low || !verifyFabric(key, orders[index]?.content as Uint8Array, signature);
  });
  t.equal(signatures.length, 300);
  t.strictSame(bad, []);
  t.throws(() => shimmed.signer.publicKeyOf('nobody'), { code: 'HSM_KEY_UNKNOWN' });
});

/** What a caller meets when one signature fails once with an error of this class. */
const expected: Readonly<Record<Pkcs11Class, string>> = {
  caller: 'HSM_SIGN_FAILED',
  newSession: 'signed',
  refind: 'signed',
  relogin: 'signed',
  reinit: 'signed',
  saturation: 'HSM_SESSION_BUSY',
  operator: 'HSM_TOKEN_LOST',
};

t.test(
  'one failure of every kind is met as its class says, and spoils nothing',
  { skip },
  async (t) => {
    const shimmed = await openShimmed(t, token);
    const { control, tokens } = shimmed;
    const [first] = tokens.processes;
    const wrong: string[] = [];
    for (const [code, [name, class_]] of pkcs11Codes) {
      if (class_ === 'operator') continue;
      for (const at of ['C_SignInit', 'C_Sign'] as const) {
        control.fail(at, code, 1);
        const met = await outcome(shimmed);
        if (met !== expected[class_]) wrong.push(`${name} of ${at}: ${met}`);
        await serves(shimmed);
      }
    }
    t.strictSame(wrong, []);
    const { sessionsPoisoned } = tokens.meter.counts;
    t.equal(sessionsPoisoned, 2, 'none but the two that were made to look so');
    t.ok(tokens.processes.has(first!), 'all of it in one process');
    control.fail('C_Sign', 0x02, 1);
    t.equal(await outcome(shimmed), expected.operator, 'a failure that asks for an operator');
    await serves(shimmed);
    t.notOk(tokens.processes.has(first!), 'ends the process');
  },
);

t.test('a session that dies while it is idle costs nobody a signature', { skip }, async (t) => {
  const shimmed = await openShimmed(t, token);
  await serves(shimmed);
  shimmed.control.set('idleKillMs', 100);
  const outcomes: string[] = [];
  for (let count = 0; count < 5; count += 1) {
    await new Promise((resolve) => setTimeout(resolve, 150));
    outcomes.push(await outcome(shimmed));
  }
  t.strictSame(new Set(outcomes), new Set(['signed']));
  t.ok(shimmed.control.get('sessionsKilled') > 0, 'sessions died');
});

t.test('an answer that is lost is asked for again', { skip }, async (t) => {
  const shimmed = await openShimmed(t, token);
  shimmed.control.loseAnswer('C_Sign', 0x30, 1);
  t.equal(await outcome(shimmed), 'signed');
  shimmed.control.loseAnswer('C_Sign', 0x06, 1);
  t.equal(await outcome(shimmed), 'signed');
});

t.test('a signature with a wrong bit never leaves', { skip }, async (t) => {
  const shimmed = await openShimmed(t, token);
  const { control, tokens } = shimmed;
  await serves(shimmed);
  const before = control.get('flipped');
  control.set('flipEvery', 1);
  t.equal(await outcome(shimmed, true), 'HSM_TOKEN_LOST', 'the key cannot be proved any more');
  t.ok(control.get('flipped') > before + 1, 'another process was tried');
  control.heal();
  await serves(shimmed);
  control.set('flipEvery', 5);
  const outcomes = new Set<string>();
  for (let count = 0; count < 6; count += 1) outcomes.add(await outcome(shimmed));
  t.notOk(outcomes.has('signed wrongly'), 'after a wrong one every signature is verified');
  t.ok(tokens.meter.counts.signaturesWrong > 0);
});

t.test('a handle that names another key does not sign for it', { skip }, async (t) => {
  const shimmed = await openShimmed(t, token);
  const { control, tokens } = shimmed;
  await serves(shimmed);
  const [process] = tokens.processes;
  const numberOf = (label: string) => process!.keyOf(label).handle.readUInt32LE();
  control.set('renumber', numberOf('node') ^ numberOf('other'));
  t.equal(await outcome(shimmed, true), 'signed', 'by the right key, found anew');
  t.ok(tokens.meter.counts.signaturesWrong > 0, 'the other key had signed first');
  control.set('renumber', 0x7000);
  t.equal(await outcome(shimmed, true), 'signed', 'and numbers that name nothing are found anew');
});

t.test(
  'a logout behind our back is repaired, with keys found and proved anew',
  { skip },
  async (t) => {
    const shimmed = await openShimmed(t, token);
    const logins = shimmed.control.calls('C_Login');
    shimmed.control.fail('C_SignInit', 0x101, 1);
    t.equal(await outcome(shimmed), 'signed');
    t.equal(shimmed.control.calls('C_Login'), logins + 1);
  },
);

t.test('sessions past what the token allows are done without', { skip }, async (t) => {
  const shimmed = await openShimmed(t, token, { sessions: 4 });
  const { control } = shimmed;
  control.set('sessionCap', 3);
  const many = Array.from({ length: 60 }, () =>
    eventually(async () => {
      const met = await outcome(shimmed);
      if (met !== 'signed') throw new Error(met);
      return met;
    }),
  );
  t.equal((await Promise.all(many)).length, 60, 'two of four sessions sign everything');
});

t.test('a token without a session for us is busy, and only that', { skip }, async (t) => {
  const shimmed = await openShimmed(t, token);
  const { control, tokens } = shimmed;
  control.fail('C_OpenSession', 0xb1, always);
  t.equal(await outcome(shimmed), 'HSM_SESSION_BUSY');
  t.equal(tokens.breaker, 'closed');
  control.heal();
  await serves(shimmed);
});
