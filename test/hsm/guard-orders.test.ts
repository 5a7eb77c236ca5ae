import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { Fault, toBase64, toHex, utf8 } from '#base';
import { sha256 } from '#crypto';
import type { Order } from '#custody';
import { GuardMarks, SignedGuardMarks, headerHash } from '#formats';
import { BlockGuard } from '../../hsm/block-guard.ts';
import { readMarks } from '../../hsm/guard-marks.ts';
import { guardOrders } from '../../hsm/guard-orders.ts';
import { fuzz } from '../crypto/fuzzing.ts';
import { startSigner } from '../support/signer-process.ts';
import { temporaryToken } from '../support/softhsm.ts';
import { blockCall, nextBlock } from './samples.ts';
import { temporaryDir } from '../support/temporary-dir.ts';

const token = await temporaryToken(t, {
  keys: [
    { label: 'ordering', role: 'ordering' },
    { label: 'attestation', role: 'attestation' },
  ],
});
const stateDir = join(token.dir, 'state');
const host = await startSigner(t, token, { stateDir });
const identity = (await host.client.describe())[0]!.serializedIdentity;
const first = blockCall(identity, 1n);
const firstSignature = await host.client.signBlock(first);
copyFileSync(join(stateDir, 'blocks.guard'), join(token.dir, 'yesterday'));
const second = nextBlock(first, identity);
const secondSignature = await host.client.signBlock(second);
const exported = await host.client.guardMarks();
await host.stop();

/** An order's own parts do not matter to what it does here. */
const order = {} as Order;
const carryOut = (guard: BlockGuard, action: 'guard.import' | 'guard.reset', parameters: object) =>
  guardOrders(guard)[action]!(parameters as Record<string, string>, order);

t.test('where a guard stands is exported with its host’s signature', async (t) => {
  const { marks, token: from, subject } = readMarks(exported);
  t.strictSame(marks, [{ channel: 'ch', number: 2n, headerHash: headerHash(second) }]);
  t.equal(from, token.tokenLabel);
  t.match(subject, /attestation/);
});

t.test('another guard goes on from an imported mark, and never below', async (t) => {
  await using guard = await BlockGuard.open(temporaryDir(t));
  const result = await carryOut(guard, 'guard.import', { marks: toBase64(exported) });
  t.match(result, { marks: 'ch 2', token: token.tokenLabel });
  const hash = sha256(utf8('rival'));
  const rival = { channel: 'ch', number: 2n, headerHash: hash, previousHash: headerHash(first) };
  await t.rejects(guard.allow(rival), { code: 'HSM_BLOCK_CONFLICT' });
  const third = { channel: 'ch', number: 3n, headerHash: hash, previousHash: headerHash(second) };
  await guard.allow(third);
  t.match(await carryOut(guard, 'guard.import', { marks: toBase64(exported) }), { marks: 'ch 3' });
});

t.test('marks that nobody signed, or that were changed, are not imported', async (t) => {
  await using guard = await BlockGuard.open(temporaryDir(t));
  const { statement, certificate, signature } = SignedGuardMarks.decode(exported);
  const read = GuardMarks.decode(statement);
  const higher = GuardMarks.encode({ ...read, marks: [{ ...read.marks[0]!, number: 9n }] });
  const forged = SignedGuardMarks.encode({ statement: higher, certificate, signature });
  const importing = carryOut(guard, 'guard.import', { marks: toBase64(forged) });
  await t.rejects(importing, { code: 'HSM_MARKS_INVALID', kind: 'malformed' });
  const attempts = ['', 'not base64', undefined];
  for (const marks of attempts) await t.rejects(carryOut(guard, 'guard.import', { marks }), Fault);
  const { marks } = readMarks(exported);
  const outcome = fuzz(
    // A certificate's text may be written in more than one way; what it vouches for may not.
    (bytes) => t.strictSame(readMarks(bytes).marks, marks),
    exported,
    { seed: 4, rounds: 300 },
  );
  t.strictSame(outcome.escaped, []);
  t.ok(outcome.refused > 250);
  t.strictSame(guard.marks, []);
});

t.test(
  'a host whose record was restored from a copy hears it from a block, and stops',
  async (t) => {
    const place = { stateDir: temporaryDir(t), socket: join(token.dir, 'old.sock') };
    copyFileSync(join(token.dir, 'yesterday'), join(place.stateDir, 'blocks.guard'));
    const old = await startSigner(t, token, place);
    await old.client.witness({ block: first, signature: firstSignature });
    const unsigned = { block: second, signature: firstSignature };
    await t.rejects(old.client.witness(unsigned), { code: 'HSM_WITNESS_FOREIGN', kind: 'denied' });
    t.type(
      await old.client.signBlock(first),
      Uint8Array,
      'a block without our signature stops nothing',
    );
    const rolledBack = { code: 'HSM_GUARD_ROLLED_BACK', kind: 'fatal' };
    await t.rejects(old.client.witness({ block: second, signature: secondSignature }), rolledBack);
    await t.rejects(old.client.signBlock(first), rolledBack, 'from now on it signs nothing');
    t.match(
      await old.client.report(),
      { guardFaultCode: 'HSM_GUARD_ROLLED_BACK' },
      'monitoring hears',
    );
  },
);

t.test('operators have a guard go on from what peers have', async (t) => {
  await using guard = await BlockGuard.open(temporaryDir(t));
  const seen = { channel: 'ch', number: 7n, headerHash: headerHash(second) };
  t.throws(() => guard.witness(seen), { code: 'HSM_GUARD_ROLLED_BACK' });
  for (const wrong of [{ number: '-1' }, { number: '07' }, { headerHash: '00' }, { channel: '' }]) {
    const parameters = { channel: 'ch', number: '7', headerHash: toHex(seen.headerHash), ...wrong };
    await t.rejects(carryOut(guard, 'guard.reset', parameters), { code: 'HSM_CALL_MALFORMED' });
  }
  const parameters = { channel: 'ch', number: '7', headerHash: toHex(seen.headerHash) };
  t.strictSame(await carryOut(guard, 'guard.reset', parameters), { marks: 'ch 7' });
  const next = { channel: 'ch', number: 8n, headerHash: sha256(utf8('8')) };
  await guard.allow({ ...next, previousHash: seen.headerHash });
  const lower = { ...parameters, number: '3', headerHash: toHex(sha256(utf8('3'))) };
  t.strictSame(await carryOut(guard, 'guard.reset', lower), { marks: 'ch 8' }, 'none is lowered');
});
