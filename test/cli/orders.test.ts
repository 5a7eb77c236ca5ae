import { strictEqual } from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { createNetwork, defaultNetwork, openNetwork } from '#cli';
import { parseOperatorPolicy, parseSignedOrder } from '#custody';
import { readOperatorKey } from '../../cli/operator-key.ts';
import { ZoneProcesses } from '../../cli/zone-processes.ts';
import { carryOut } from '../../cli/orders.ts';
import { runCommand } from '../../cli/run-command.ts';
import { eventually } from '../support/eventually.ts';
import { startChildrenPlainly } from '../support/plain-children.ts';
import { temporaryDir } from '../support/temporary-dir.ts';

startChildrenPlainly();
const parent = temporaryDir(t);
const dir = join(parent, 'net');
const organisations = defaultNetwork.organisations.slice(0, 1);
await createNetwork(dir, { ...defaultNetwork, organisations, endorserCount: 1, peerCount: 0 });
const { layout } = openNetwork(dir);
const inForce = readFileSync(layout.operatorPolicy('org1'), 'utf8');
const keyOf = (operator: string) => layout.operatorKey(operator);

/** Runs a command; what it says as JSON when it is that. */
async function run(...words: string[]) {
  const said: string[] = [];
  const status = await runCommand([...words, '--dir', dir], {
    say: (text) => said.push(text),
    complain: (text) => said.push(text),
  });
  const text = said.join('\n');
  const isJson = text.startsWith('{') && said.length === 1;
  return { status, text, json: isJson ? (JSON.parse(text) as Record<string, unknown>) : {} };
}

/** What a security key of this operator would answer, in a file. */
function assertionBy(operator: string, orderFile: string): string {
  const { bytes } = parseSignedOrder(readFileSync(orderFile));
  const policy = parseOperatorPolicy(readFileSync(layout.operatorPolicy('org1')));
  const file = join(parent, 'assertion.json');
  const assertion = readOperatorKey(keyOf(operator)).approve(operator, bytes, policy);
  writeFileSync(file, JSON.stringify(assertion));
  return file;
}

t.test('a network comes with operators, any two of whom can order', async (t) => {
  const { json } = await run('operator', 'policy', 'show');
  t.match(json, {
    zone: 'zone',
    operators: [{ id: 'operator-1' }, { id: 'operator-2' }, { id: 'operator-3' }],
    rules: {
      'key.rotate': { approvals: 2, delaySeconds: 0 },
      'guard.reset': { approvals: 2, delaySeconds: 3600 },
      'policy.change': { approvals: 2, delaySeconds: 3600 },
    },
  });
});

t.test('a ceremony makes a token that its transcript vouches for', async (t) => {
  const witness = join(parent, 'witness.key');
  const { privateKey } = generateKeyPairSync('ed25519');
  writeFileSync(witness, privateKey.export({ type: 'pkcs8', format: 'pem' }));
  const policy = layout.operatorPolicy('org1');
  const transcript = join(parent, 'transcript.json');
  const words = (token: string, keys: readonly string[]) =>
    (
      `ceremony run ${join(parent, token)} --token ${token} --org org9 --keys node0.org9:node ` +
      `--operators ${policy} --key ${keys.join(',')} --witness wanda=${witness} --out ${transcript}`
    ).split(' ');
  const alone = await run(...words('token8', [keyOf('operator-1')]));
  t.match(alone, { status: 1, text: /^CUSTODY_APPROVALS_TOO_FEW/ });
  const held = await run(...words('token9', [keyOf('operator-1'), keyOf('operator-3')]));
  t.match(held, { status: 0, json: { operators: ['operator-1', 'operator-3'], witness: 'wanda' } });
  const replayed = await run('ceremony', 'verify', transcript, '--operators', policy);
  t.strictSame(replayed, held);
  const text = readFileSync(transcript, 'utf8');
  const foreign = join(parent, 'foreign.json');
  writeFileSync(foreign, `${inForce}\n`);
  const elsewhere = await run('ceremony', 'verify', transcript, '--operators', foreign);
  t.match(elsewhere, { status: 1, text: /^CLI_CEREMONY_FOREIGN/ });
  const { steps, ...rest } = JSON.parse(text) as { steps: string[] };
  writeFileSync(transcript, JSON.stringify({ ...rest, steps: steps.toReversed() }));
  const reordered = await run('ceremony', 'verify', transcript, '--operators', policy);
  t.match(reordered, { status: 1, text: /^CUSTODY_CEREMONY_INVALID/ });
});

t.test('commands about orders say what is wrong with them', async (t) => {
  const file = join(parent, 'none.json');
  writeFileSync(file, '{}');
  for (const [words, code] of [
    [['order', 'create', 'key.sell'], 'CLI_USAGE_WRONG'],
    [['order', 'create', 'key.rotate', '--valid-seconds', '0'], 'CLI_USAGE_WRONG'],
    [['order', 'create', 'key.rotate'], 'BASE_LINK_BROKEN'],
    [['order', 'submit'], 'CLI_USAGE_WRONG'],
    [['order', 'show', file], 'CUSTODY_DOCUMENT_INVALID'],
    [['order', 'approve', file, '--key', file], 'CUSTODY_DOCUMENT_INVALID'],
    [['audit', 'verify', '--known', '1:2'], 'CLI_FILE_UNREADABLE'],
    [['order', 'approve', file, '--assertion', file], 'CUSTODY_DOCUMENT_INVALID'],
    [['audit', 'verify', file], 'CLI_USAGE_WRONG'],
    [['ceremony', 'run', dir, '--out', file, '--keys', 'a:b'], 'CLI_USAGE_WRONG'],
    [['operator', 'policy'], 'CLI_USAGE_WRONG'],
  ] as const) {
    const { status, text } = await run(...words);
    t.match([status, text], [code === 'CLI_USAGE_WRONG' ? 2 : 1, new RegExp(`^${code}`)]);
  }
});

t.test('an order goes from operator to operator, to the host, and into the log', async (t) => {
  const order = join(parent, 'order.json');
  const copy = join(parent, 'copy.json');
  await using processes = new ZoneProcesses(layout);
  await processes.start('signer-org1');
  const change = `order create policy.change policy=@${layout.operatorPolicy('org1')} --out ${order}`;
  const created = await run(...change.split(' '));
  t.equal(created.status, 0, created.text);
  copyFileSync(order, copy);
  t.match(await run('order', 'submit', order), { text: /^CUSTODY_APPROVALS_TOO_FEW/ });
  await run('order', 'approve', order, '--key', keyOf('operator-1'));
  await run('order', 'approve', order, '--key', keyOf('operator-1'));
  t.match(await run('order', 'submit', order), { text: /^CUSTODY_APPROVALS_TOO_FEW/ });
  await run('order', 'approve', copy, '--key', keyOf('operator-2'));
  t.match((await run('order', 'show', copy)).json, { approvals: ['operator-2'], sequence: 1 });
  const waiting = await run('order', 'submit', order, copy);
  t.match(waiting, { status: 1, json: { state: 'waiting' } });
  t.match((await run('order', 'list')).json, { lastSequence: 0, waiting: [{ sequence: 1 }] });
  const asserted = await run(
    'order',
    'approve',
    copy,
    '--assertion',
    assertionBy('operator-3', copy),
  );
  t.equal(asserted.status, 0, asserted.text);
  t.match((await run('order', 'show', copy)).json, { approvals: ['operator-2', 'operator-3'] });
  const key = layout.identity('admin@org1').keyFile;
  const stranger = await run('order', 'approve', order, '--key', key);
  t.match(stranger, { text: /CLI_OPERATOR_KEY_WRONG/ });
  const parameters = { policy: inForce };
  await t.rejects(carryOut(dir, 'org1', 'policy.change', parameters), {
    code: 'CLI_ORDER_WAITING',
  });
  await t.rejects(carryOut(dir, 'org1', 'key.activate', {}), { code: 'CUSTODY_ORDER_UNKNOWN' });
  const known = (await run('order', 'list')).json['head'] as { sequence: number; hash: string };
  const told = `${known.sequence}:${known.hash}`;
  // The log of signatures gets its first checkpoint half a second after the host's start.
  const verified = await eventually(async () => {
    const now = await run('audit', 'verify', '--known', told);
    strictEqual(now.status, 0, now.text);
    return now;
  });
  t.match(verified, { json: { ordersCount: 0 } });
  const later = `${known.sequence + 1}:${known.hash}`;
  t.match(await run('audit', 'verify', '--known', later), { text: /^CUSTODY_AUDIT_TRUNCATED/ });
});
