import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { toBase64 } from '#base';
import { identityNames, rotateKey, rotateManagerTls } from '#cli';
import { listTokenKeys } from '#softhsm-config';
import { madeInToken } from '../support/softhsm.ts';
import { underLoad } from '../support/steady-load.ts';
import { countersign } from '../e2e/countersign.ts';
import { TestClient, TestNetwork } from '../support/test-network.ts';
import { newVersion, rotationRecord } from '../formats/rotation-sample.ts';

const callers = { callers: 4, requestsPerCall: 1 };
const network = await TestNetwork.start({ peerCount: 0 });
t.teardown(() => network[Symbol.asyncDispose]());
await network.deploy('notary');
const alice = await network.client('alice');

function keysIn(token: string) {
  return listTokenKeys({ dir: network.network.layout.token(token), label: token });
}

t.test(
  'a node’s key and the ordering key are rotated under load, and no request fails',
  async (t) => {
    const load = await underLoad(network, alice, callers, async () => {
      t.match(await rotateKey(network.dir, 'node0.org1'), { label: 'node0.org1~2' });
      t.match(await rotateKey(network.dir, 'ordering0.zone'), { label: 'ordering0.zone~2' });
    });
    t.equal(load.failed, 0, load.firstFailure ?? 'every answer is 200');
    t.ok(load.requests > 0);
  },
);

t.test('the manager’s TLS key is changed under load, and no request fails', async (t) => {
  const { certificateFile } = network.network.layout.tls('manager');
  const before = readFileSync(certificateFile, 'utf8');
  const load = await underLoad(network, alice, callers, async () => {
    t.match(await rotateManagerTls(network.dir), /^[0-9A-F:]{95}$/);
  });
  t.equal(load.failed, 0, load.firstFailure ?? 'every answer is 200');
  t.not(readFileSync(certificateFile, 'utf8'), before);
});

t.test(
  'the old private keys are gone from their tokens, and the new ones are as safe',
  async (t) => {
    const [keys, zoneKeys] = await Promise.all([keysIn('org1'), keysIn('zone')]);
    t.strictSame(
      keys.map(({ label, attributes }) => ({ label, attributes })),
      [{ label: 'node0.org1~2', attributes: madeInToken }],
    );
    const ordering = zoneKeys.filter(({ label }) => label.startsWith('ordering0.zone'));
    t.strictSame(
      ordering.map(({ label }) => label),
      ['ordering0.zone~2'],
    );
  },
);

t.test(
  'only an administrator brings a record, and only of a key of the organisation',
  async (t) => {
    const record = rotationRecord(await newVersion('node0.org2'), await newVersion('node0.org2'), {
      key: 'node0.org2',
    });
    const operation: [string, ...string[]] = ['rotate', toBase64(record)];
    for (const [kid, why] of [
      ['alice', 'by a client'],
      [identityNames.admin('org1'), 'by a stranger’s CA'],
    ] as const) {
      const answer = await new TestClient(network, kid).post('_lifecycle', operation);
      t.match(answer, { status: 403, body: { code: 'ENDORSER_ROTATION_DENIED' } }, why);
    }
    const garbage = await alice.post('_lifecycle', ['rotate', toBase64(record.subarray(1))]);
    t.match(garbage, { status: 400 });
  },
);

t.test('after a crash of the hosts and of the manager the new keys sign', async (t) => {
  const { processes } = network;
  const crashed = ['manager', 'signer-org1', 'signer-zone'];
  for (const name of crashed) await processes.kill(name);
  for (const name of crashed.toReversed()) await processes.start(name);
  const answer = await alice.post('notary', ['deposit', 'ff'.repeat(32), 'x.txt', 'text/plain']);
  t.match(answer, { status: 200 });
});

t.test('each destruction is on record, after its order, and the log is verified', async (t) => {
  const { auditDir } = configuredCustody('org1');
  const lines = readFileSync(join(auditDir, 'audit.jsonl'), 'utf8').trim().split('\n');
  const events = lines.map((line) => JSON.parse(line) as { event: string; facts: object });
  const order = events.findIndex(({ event }) => event.startsWith('order.'));
  const destroyed = events.findIndex(({ event }) => event === 'key.destroyed');
  t.ok(order !== -1 && destroyed > order);
  t.match(events[destroyed]?.facts, {
    key: 'node0.org1',
    version: '1',
    fingerprint: /^[0-9a-f]{64}$/,
  });
  const verified = await countersign('audit', 'verify', '--token', 'org1', '--dir', network.dir);
  t.equal(verified.status, 0, verified.stderr);
});

function configuredCustody(token: string): { auditDir: string } {
  const file = network.network.layout.config(`signer-${token}`);
  return (JSON.parse(readFileSync(file, 'utf8')) as { custody: { auditDir: string } }).custody;
}
