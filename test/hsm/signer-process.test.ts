import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { toHex } from '#base';
import { parseCsr } from '#crypto';
import { SignerRefused, signerConfig, startSigner } from '../support/signer-process.ts';
import { eventually } from '../support/eventually.ts';
import { temporaryToken } from '../support/softhsm.ts';
import { blockCall, endorsementPayload } from './samples.ts';

const token = await temporaryToken(t, {
  keys: [
    { label: 'node', role: 'node' },
    { label: 'ordering', role: 'ordering' },
    { label: 'relay', role: 'relay' },
    { label: 'node2', role: 'node' },
  ],
});

t.test('a second host with the same state does not start', async (t) => {
  const first = await startSigner(t, token);
  const second = startSigner(t, token, { socket: join(token.dir, 'second.sock') });
  await t.rejects(second, { code: 'HSM_GUARD_LOCKED', exitCode: 1 });
  t.equal(await first.stop(), 0);
});

t.test('a restarted host remembers the blocks it signed', async (t) => {
  const state = { socket: join(token.dir, 'again.sock'), stateDir: join(token.dir, 'again') };
  const first = await startSigner(t, token, state);
  const ordering = (await first.client.describe())[1]?.serializedIdentity as Uint8Array;
  const call = blockCall(ordering, 1n);
  await first.client.signBlock(call);
  t.equal(await first.stop(), 0);
  const second = await startSigner(t, token, state);
  const rival = blockCall(ordering, 1n, { variant: 'b' });
  await t.rejects(second.client.signBlock(rival), { code: 'HSM_BLOCK_CONFLICT' });
  t.type(await second.client.signBlock(call), Uint8Array);
  await second.kill();
});

const items = [{ keyLabel: 'node', proposalResponsePayload: endorsementPayload() }];

t.test('a host whose token goes tells its callers, and serves again when it is back', async (t) => {
  const place = { socket: join(token.dir, 'lost.sock'), stateDir: join(token.dir, 'lost') };
  const host = await startSigner(t, token, place);
  const tokens = join(token.dir, 'token', 'tokens');
  renameSync(tokens, `${tokens}.away`);
  const lost = { code: 'HSM_TOKEN_LOST', kind: 'busy' };
  await t.rejects(host.client.endorse(items), lost);
  await t.rejects(host.client.endorse(items), lost, 'and the next');
  const [described] = await host.client.describe();
  t.not(described?.faultCode, '', 'whoever asks for its keys learns that they do not sign');
  renameSync(`${tokens}.away`, tokens);
  t.equal((await eventually(() => host.client.endorse(items))).length, 1);
  t.match(await host.client.describe(), [{ faultCode: '' }]);
  t.equal(await host.stop(), 0, 'the host is still the same process');
});

t.test('a host that starts without its token waits for it', async (t) => {
  const place = { socket: join(token.dir, 'early.sock'), stateDir: join(token.dir, 'early') };
  const tokens = join(token.dir, 'token', 'tokens');
  renameSync(tokens, `${tokens}.away`);
  const host = await startSigner(t, token, place);
  await t.rejects(host.client.endorse(items), { code: 'HSM_TOKEN_LOST', kind: 'busy' });
  renameSync(`${tokens}.away`, tokens);
  t.equal((await eventually(() => host.client.endorse(items))).length, 1);
  await host.stop();
});

t.test('in provisioning mode a host makes certificate requests and nothing else', async (t) => {
  const provisioning = await startSigner(t, token, {
    socket: join(token.dir, 'provisioning.sock'),
    stateDir: join(token.dir, 'provisioning'),
    mode: 'provisioning',
    keys: [{ label: 'node', role: 'node', mspid: 'Org1MSP' }],
  });
  const { client: signer } = provisioning;
  t.match(await signer.describe(), [{ label: 'node', certificate: new Uint8Array(0) }]);
  const csr = parseCsr(
    await signer.signCsr({
      keyLabel: 'node',
      commonName: 'node 2',
      organization: 'Org1',
      organizationalUnits: ['peer'],
    }),
  );
  t.equal(csr.subject.commonName, 'node 2');
  t.strictSame(toHex(csr.publicKey.spki), token.keys[0]?.publicKey);
  const endorsing = [{ keyLabel: 'node', proposalResponsePayload: endorsementPayload() }];
  await t.rejects(signer.endorse(endorsing), { code: 'HSM_MODE_DENIED' });
  await provisioning.stop();
});

t.test('a host that does not serve says why', async (t) => {
  const wrongPin = join(token.dir, 'wrong.pin');
  writeFileSync(wrongPin, 'not-the-pin');
  const { keys: configured } = signerConfig(token);
  const [node] = configured;
  const other = token.certificateOf.get('node2')?.file as string;
  const relay = token.certificateOf.get('relay')?.file as string;
  const foreign = { ...node, label: 'node', role: 'node' as const, mspid: 'Org1MSP' };
  const cases = [
    ['HSM_PIN_WRONG', { pinFile: wrongPin }],
    ['HSM_MODULE_MISSING', { module: '/nonexistent.so' }],
    ['BASE_SECRET_UNREADABLE', { pinFile: '/nonexistent' }],
    ['HSM_KEY_MISMATCH', { keys: [{ ...foreign, certificateFile: other }] }],
    ['HSM_CERTIFICATE_UNIT', { keys: [{ ...foreign, certificateFile: relay }] }],
    ['HSM_KEY_ABSENT', { keys: [{ ...foreign, label: 'nobody' }] }],
    ['BASE_CONFIG_INVALID', { sessions: 0 }],
    ['HSM_CONFIG_CONTRADICTORY', { keys: [{ ...foreign, role: 'ordering' as const }] }],
  ] as const;
  const place = { socket: join(token.dir, 'bad.sock') };
  const codes = await Promise.all(
    cases.map(async ([, change], index) => {
      const stateDir = join(token.dir, `bad${index}`);
      const starting = startSigner(t, token, { ...place, stateDir, ...change } as never);
      const error: unknown = await starting.catch((reason: unknown) => reason);
      return error instanceof SignerRefused ? [error.code, error.exitCode] : error;
    }),
  );
  t.strictSame(
    codes,
    cases.map(([code]) => [code, 2]),
  );
  const again = { ...place, stateDir: join(token.dir, 'bad0'), pinFile: wrongPin };
  const refused = await startSigner(t, token, again).catch((error: unknown) => error);
  t.ok(refused instanceof SignerRefused);
  t.match(refused, { detail: { reason: 'refused at an earlier start' } });
});
