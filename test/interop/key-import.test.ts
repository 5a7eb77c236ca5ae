import { generateKeyPairSync } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { importPublicKey } from '#crypto';
import { countersign } from '../e2e/countersign.ts';
import { temporaryDir } from '../support/temporary-dir.ts';
import { TestNetwork } from '../support/test-network.ts';

const dir = temporaryDir(t);
const file = (name: string) => join(dir, name);
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
writeFileSync(file('key.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }), {
  mode: 0o600,
});
const spki = new Uint8Array(publicKey.export({ type: 'spki', format: 'der' }));
const { fingerprint } = importPublicKey(spki);

/** As operators would have ordered it, had the test an hour for each order. */
function nameKey({ network: { layout } }: TestNetwork): void {
  const policyFile = layout.operatorPolicy('org1');
  const policy = JSON.parse(readFileSync(policyFile, 'utf8')) as { rules: object };
  const rules = { ...policy.rules, 'key.import': { approvals: 2, delaySeconds: 0 } };
  const imports = [{ key: 'node0.org1', fingerprint }];
  writeFileSync(policyFile, JSON.stringify({ ...policy, rules, imports }));
}

const network = await TestNetwork.start({ peerCount: 0 }, nameKey);
t.teardown(() => network[Symbol.asyncDispose]());
await network.deploy('notary');
const client = await network.client('clerk');
const { layout } = network.network;

async function run(...args: string[]): Promise<string> {
  const { status, stdout, stderr } = await countersign(...args, '--dir', network.dir);
  if (status !== 0) throw new Error(stderr);
  return stdout.trim();
}

/** The objects that the command shows. */
async function shown(...args: string[]): Promise<unknown[]> {
  const objects = (await run(...args)).split(/(?<=^\})\n(?=\{)/m);
  return objects.map((text) => JSON.parse(text) as unknown);
}

/** @returns the file of an order that two operators have approved. */
async function approved(action: string, ...parameters: string[]): Promise<string> {
  const out = file(`${action}.json`);
  await run('order', 'create', action, ...parameters, '--token', 'org1', '--out', out);
  for (const id of ['operator-1', 'operator-2']) {
    const operators = [
      '--key',
      layout.operatorKey(id),
      '--operators',
      layout.operatorPolicy('org1'),
    ];
    await run('order', 'approve', out, ...operators);
  }
  return out;
}

t.test('a key from outside takes a node’s place, as the manual says', async (t) => {
  const way = await approved('key.generate', 'key=node0.org1');
  const [made] = (await shown('order', 'submit', way)) as [{ result: { wrappingKey: string } }];
  const wrapping = ['--wrapping', made.result.wrappingKey, '--out', file('wrapped')];
  const [told] = (await shown('key', 'wrap', file('key.pem'), ...wrapping)) as [
    { fingerprint: string; publicKey: string },
  ];
  t.equal(told.fingerprint, fingerprint);
  const parameters = [
    'key=node0.org1',
    `publicKey=${told.publicKey}`,
    `wrapped=@${file('wrapped')}`,
  ];
  const order = await approved('key.import', ...parameters);
  const [rotated] = await shown('key', 'rotate', 'node0.org1', '--order', order);
  t.match(rotated, { label: 'node0.org1~2', destroyed: [{ label: 'node0.org1' }] });
  t.match(await client.post('notary', ['deposit', 'ab'.repeat(32), 'deed', 'text/plain']), {
    status: 200,
  });
});

t.test('whoever looks sees that it came from outside', async (t) => {
  const keys = (await shown('key', 'list')) as { label: string; imported: boolean }[];
  const imported = keys.filter((key) => key.imported).map(({ label }) => label);
  t.strictSame(imported, ['node0.org1~2']);
  const { body } = await network.service.get('/metrics');
  t.match(body, /countersign_key_imported\{[^}]*key="node0\.org1~2"[^}]*\} 1/);
  t.match(await shown('audit', 'verify', '--token', 'org1'), [{ ordersCount: 2 }]);
});
