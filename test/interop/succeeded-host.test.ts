import { join } from 'node:path';
import t from 'tap';
import { blockCall, endorsementPayload } from '../hsm/samples.ts';
import { startSigner } from '../support/signer-process.ts';
import { temporaryToken } from '../support/softhsm.ts';

const token = await temporaryToken(t, {
  keys: [
    { label: 'node', role: 'node' },
    { label: 'ordering', role: 'ordering' },
  ],
});
const items = [{ keyLabel: 'node', proposalResponsePayload: endorsementPayload() }];

t.test('a host that stood still and was succeeded ends when it comes back', async (t) => {
  const stateDir = join(token.dir, 'succeeded');
  const stopped = await startSigner(t, token, { stateDir, socket: join(token.dir, 'still.sock') });
  await stopped.client.endorse(items);
  process.kill(stopped.pid, 'SIGSTOP');
  const waiting = stopped.client.endorse(items).catch((error: unknown) => error);
  const successor = { stateDir, socket: join(token.dir, 'successor.sock') };
  const next = await startSigner(t, token, successor);
  process.kill(stopped.pid, 'SIGCONT');
  t.equal(await stopped.exited, 1);
  t.type(await waiting, Error, 'what waited for it is not signed');
  const told = stopped.log.filter((line) => line.startsWith('{')).at(-1) ?? '';
  t.match(JSON.parse(told), { level: 60, code: 'HSM_GUARD_FENCED' });
  const [, ordering] = await next.client.describe();
  const call = blockCall(ordering?.serializedIdentity as Uint8Array, 1n);
  t.type(await next.client.signBlock(call), Uint8Array);
  t.equal(await next.stop(), 0);
  const again = await startSigner(t, token, successor);
  await t.resolves(again.client.endorse(items), 'what it left does no harm');
  t.equal(await again.stop(), 0);
});
