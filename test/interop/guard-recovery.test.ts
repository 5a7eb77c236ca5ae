import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { toBase64, toHex } from '#base';
import type { OrderAction } from '#custody';
import { headerHash } from '#formats';
import type { SignBlockCall } from '#formats';
import { eventually } from '../support/eventually.ts';
import { startSigner } from '../support/signer-process.ts';
import type { SignerProcess } from '../support/signer-process.ts';
import { temporaryToken } from '../support/softhsm.ts';
import { orderSetting } from '../hsm/order-setting.ts';
import { blockCall, nextBlock } from '../hsm/samples.ts';
import { temporaryDir } from '../support/temporary-dir.ts';

/** The host outlives the test that starts it anew. */
const wholeFile = t;
const token = await temporaryToken(t, { keys: [{ label: 'ordering', role: 'ordering' }] });
const timeLock = { approvals: 2, delaySeconds: 1 };
const rules = { 'guard.import': timeLock, 'guard.reset': timeLock };
const { custody, make, submit } = orderSetting(token, { rules });

// What the zone signed before its host was lost.
const former = await startSigner(t, token, { stateDir: join(token.dir, 'former') });
const identity = (await former.client.describe())[0]!.serializedIdentity;
const first = blockCall(identity, 1n);
const firstSignature = await former.client.signBlock(first);
copyFileSync(join(token.dir, 'former', 'blocks.guard'), join(token.dir, 'yesterday'));
const second = nextBlock(first, identity);
const third = nextBlock(second, identity);
const thirdRival = { ...third, dataHash: Uint8Array.from(third.dataHash).fill(7) };
const fourth = nextBlock(third, identity);
await former.client.signBlock(second);
const marks = toBase64(await former.client.guardMarks());
const thirdSignature = await former.client.signBlock(third);
await former.stop();

const stateDir = temporaryDir(t);
const place = { custody, stateDir, socket: join(stateDir, 'signer.sock') };
copyFileSync(join(token.dir, 'yesterday'), join(stateDir, 'blocks.guard'));
let host: SignerProcess = await startSigner(wholeFile, token, place);

/** Carried out once the time-lock has ended; until then everything stays as it is. */
async function carryOut(action: OrderAction, parameters: Readonly<Record<string, string>>) {
  const order = await make(action, parameters);
  const answer = await submit(order);
  if (answer.state !== 'waiting') throw new Error('it did not wait');
  const refusedUntilThen = await refusal(fourth);
  const [outcome] = await eventually(async () => {
    const [again] = await Promise.allSettled([submit(order)]);
    if (again.status === 'fulfilled' && again.value.state === 'waiting') throw new Error('waits');
    return [again];
  });
  if (outcome.status === 'rejected') throw outcome.reason;
  const result = outcome.value.state === 'executed' ? outcome.value.result : {};
  return { result, refusedUntilThen };
}

const reset = (block: SignBlockCall) => ({
  channel: block.channel,
  number: String(block.number),
  headerHash: toHex(headerHash(block)),
});

async function refusal(block: SignBlockCall): Promise<unknown> {
  const outcome: unknown = await host.client.signBlock(block).catch((error: unknown) => error);
  return (outcome as { code?: unknown }).code;
}

t.test('a restored record stands still until marks reach what was signed', async (t) => {
  await host.client.witness({ block: first, signature: firstSignature });
  const rolledBack = { code: 'HSM_GUARD_ROLLED_BACK' };
  await t.rejects(host.client.witness({ block: third, signature: thirdSignature }), rolledBack);
  await t.rejects(carryOut('guard.import', { marks }), rolledBack, 'an export from before');
  await t.rejects(carryOut('guard.reset', reset(second)), rolledBack, 'a block before');
  const conflict = { code: 'HSM_BLOCK_CONFLICT' };
  await t.rejects(carryOut('guard.reset', reset(thirdRival)), conflict, 'another block');
  t.equal(await refusal(second), 'HSM_GUARD_ROLLED_BACK', 'none of that lets it sign');
  const { result, refusedUntilThen } = await carryOut('guard.reset', reset(third));
  t.strictSame(result, { marks: 'ch 3' });
  t.equal(refusedUntilThen, 'HSM_GUARD_ROLLED_BACK');
});

t.test('it goes on above the mark and nowhere below, after a crash too', async (t) => {
  t.match(await host.client.report(), { guardFaultCode: '' });
  const check = async () => {
    t.equal(await refusal(second), 'HSM_BLOCK_PAST');
    t.equal(await refusal(thirdRival), 'HSM_BLOCK_CONFLICT');
    t.type(await host.client.signBlock(third), Uint8Array, 'the same block may be signed again');
  };
  await check();
  await host.kill();
  host = await startSigner(wholeFile, token, place);
  await check();
  t.type(await host.client.signBlock(fourth), Uint8Array);
  await host.stop();
});

t.test('a new host takes up the channel where its predecessor’s export ends', async (t) => {
  const fresh = temporaryDir(t);
  host = await startSigner(t, token, {
    custody: { ...custody, auditDir: join(fresh, 'audit') },
    stateDir: fresh,
    socket: join(fresh, 'signer.sock'),
  });
  t.equal(await refusal(third), 'HSM_BLOCK_GAP');
  const { result, refusedUntilThen } = await carryOut('guard.import', { marks });
  t.match(result, { token: token.tokenLabel, marks: 'ch 2' });
  t.equal(refusedUntilThen, 'HSM_BLOCK_GAP');
  t.equal(await refusal(first), 'HSM_BLOCK_PAST');
  t.equal(await refusal(fourth), 'HSM_BLOCK_GAP', 'a gap is no beginning');
  t.type(await host.client.signBlock(third), Uint8Array);
});
