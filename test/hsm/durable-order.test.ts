import { join } from 'node:path';
import t from 'tap';
import { concatBytes, toHex } from '#base';
import { sha256 } from '#crypto';
import { startSigner } from '../support/signer-process.ts';
import { temporaryToken } from '../support/softhsm.ts';
import {
  blocksInOrder,
  intoTrace,
  readTrace,
  signatureLog,
  straceIsMissing,
  traced,
} from './durable-order.ts';
import { blockCall, endorsementPayload, nextBlock } from './samples.ts';

const skip = straceIsMissing;

t.test('a block’s records are on the disk before its digest leaves', { skip }, async (t) => {
  const { signed, left, early } = await blocksInOrder(t, { channels: 5, blocksEach: 10 });
  t.strictSame({ signed, left: left.size, early }, { signed: 50, left: 50, early: [] });
});

t.test('an endorsement whose record does not reach the disk is not made', { skip }, async (t) => {
  const token = await temporaryToken(t, { keys: [{ label: 'node', role: 'node' }] });
  const host = await startSigner(t, token);
  const identity = (await host.client.describe())[0]!.serializedIdentity;
  const payloads = ['one', 'two', 'three'].map((contract) => endorsementPayload({ contract }));
  const digests = payloads.map((payload) => toHex(sha256(concatBytes(payload, identity))));
  const endorse = (index: number) =>
    host.client.endorse([
      { keyLabel: 'node', proposalResponsePayload: payloads[index] as Uint8Array },
    ]);
  const [trace, failing] = ['trace', 'failing'].map((name) => join(token.dir, name));
  await traced(host.pid, intoTrace(trace!), async () => {
    await endorse(0);
    await endorse(1);
  });
  const { left, early } = await readTrace(trace!, digests, [signatureLog]);
  t.strictSame([[...left], early], [digests.slice(0, 2), []]);
  const refused = { code: 'CUSTODY_AUDIT_READONLY' };
  const inject = ['-e', 'inject=fdatasync:error=EIO'];
  await traced(host.pid, [...intoTrace(failing!), ...inject], async () => {
    await t.rejects(endorse(2), refused);
  });
  t.equal((await readTrace(failing!, digests, [])).left.size, 0);
  await t.rejects(endorse(0), refused, 'nor is any other until a restart');
  t.equal((await host.client.report()).logFaultCode, 'CUSTODY_AUDIT_READONLY');
});

t.test('a record that the disk did not take ends all signing of blocks', { skip }, async (t) => {
  const token = await temporaryToken(t, { keys: [{ label: 'ordering', role: 'ordering' }] });
  const stateDir = join(token.dir, 'state');
  const host = await startSigner(t, token, { stateDir });
  const identity = (await host.client.describe())[0]!.serializedIdentity;
  const first = blockCall(identity, 1n);
  const second = nextBlock(first, identity);
  await host.client.signBlock(first);
  const readonly = { code: 'HSM_GUARD_READONLY', kind: 'broken' };
  const broken = ['-P', join(stateDir, 'blocks.guard'), '-e', 'trace=fdatasync'];
  await traced(host.pid, [...broken, '-e', 'inject=fdatasync:error=EIO'], async () => {
    await t.rejects(host.client.signBlock(second), readonly);
  });
  // The disk works again, and has forgotten what it lost.
  await t.rejects(host.client.signBlock(second), readonly);
  await t.rejects(host.client.signBlock(first), readonly);
  t.match(await host.client.report(), { guardFaultCode: 'HSM_GUARD_READONLY' });
  await host.stop();
  const again = await startSigner(t, token, { stateDir });
  const rival = nextBlock(first, identity, { variant: 'b' });
  await t.rejects(again.client.signBlock(rival), { code: 'HSM_BLOCK_CONFLICT' });
  t.type(await again.client.signBlock(second), Uint8Array);
});
