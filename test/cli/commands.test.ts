import { strictEqual } from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import t from 'tap';
import { compiledContract } from '../support/compiled-contract.ts';
import { eventually } from '../support/eventually.ts';
import { runCommand } from '../../cli/run-command.ts';
import { program } from '../e2e/countersign.ts';
import type { CommandResult } from '../e2e/countersign.ts';
import { temporaryDir } from '../support/temporary-dir.ts';

const dir = join(temporaryDir(t), 'net');
let up: ChildProcess | undefined;
t.teardown(() => up?.kill('SIGKILL'));
const run = (...words: string[]) => command(...words, '--dir', dir);

/** Runs a command in this process; what it says is what the program would print. */
async function command(...args: string[]): Promise<CommandResult> {
  const said = { stdout: '', stderr: '' };
  const status = await runCommand(args, {
    say: (text) => (said.stdout += `${text}\n`),
    complain: (text) => (said.stderr += `${text}\n`),
  });
  return { status, ...said };
}

/** First word of what went wrong: the fault's code. */
const refusal = ({ status, stderr }: CommandResult) => [status, stderr.split(':')[0]];
/** How the command ended, and what the service had answered. */
const answered = ({ status, stdout }: CommandResult): [number, Record<string, unknown>] => [
  status,
  JSON.parse(stdout) as Record<string, unknown>,
];
const digest = 'ab'.repeat(32);
const deposit = ['request', 'deposit', digest, 'a.txt', 'text/plain', '--contract', 'notary'];

t.test('a network is made once in a directory', async (t) => {
  t.equal((await run('network', 'create')).status, 0);
  t.same(refusal(await run('network', 'create')), [1, 'CLI_NETWORK_EXISTS']);
  t.same(refusal(await run('network', 'demolish')), [2, 'CLI_USAGE_WRONG']);
  t.match(await command(), { status: 0, stdout: /^Usage:/ });
});

t.test('the keys in the tokens never leave them', async (t) => {
  const { stdout } = await run('key', 'list');
  const keys = JSON.parse(`[${stdout.trim().replaceAll('}\n{', '},{')}]`) as {
    label: string;
    attributes: Record<string, boolean>;
  }[];
  t.same(keys.map(({ label }) => label).toSorted(), [
    'attestation0.zone',
    'node0.org1',
    'node0.org2',
    'node0.org3',
    'ordering0.zone',
    'relay0.zone',
  ]);
  for (const { label, attributes } of keys) {
    t.match(attributes, { extractable: false, neverExtractable: true, local: true }, label);
    t.match(attributes, { sensitive: true, alwaysSensitive: true, decrypt: false }, label);
  }
});

t.test('clients are made, listed and registered under names that are names', async (t) => {
  t.equal((await run('client', 'new', 'alice', '--grant', 'main/notary/*')).status, 0);
  t.same(refusal(await run('client', 'new', 'alice', '--grant', 'main/notary/*')), [
    1,
    'CLI_CLIENT_EXISTS',
  ]);
  t.same(refusal(await run('client', 'new', '../bob', '--grant', 'main/notary/*')), [
    1,
    'CLI_CLIENT_NAME_INVALID',
  ]);
  for (const admin of ['admin@org1', 'admin@org2']) {
    const admitted = await run('client', 'admit', admin, '--grant', 'main/_lifecycle/*');
    t.equal(admitted.status, 0);
  }
  t.equal((await run('client', 'new', 'bob', '--grant', 'main/_lifecycle/*')).status, 0);
  const { stdout } = await run('client', 'list');
  t.match(
    stdout,
    /^alice {2}active {2}\[\{"channel":"main","contract":"notary","functions":\["\*"\]\}\]$/m,
  );
  t.match(stdout, /^admin@org1 {2}active/m);
});

t.test('the network runs once its command says so', async () => {
  const started = spawn(process.execPath, [program, 'up', '--dir', dir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  up = started;
  await once(createInterface({ input: started.stdout }), 'line');
});

t.test('administrators approve, and a majority of approvals is committed', async (t) => {
  const named = ['notary', 'notary'];
  const stranger = await run('contract', 'approve', ...named, '--org', 'org3');
  t.match(answered(stranger), [1, { code: 'MANAGER_CLIENT_UNKNOWN' }]);
  const approve = ['approve', 'notary', '1.0', '1', "OR('Org1MSP.peer')", '00'.repeat(32)];
  const asBob = ['--client', 'bob', '--contract', '_lifecycle'];
  const noAdmin = await run('request', ...approve, ...asBob);
  t.match(answered(noAdmin), [1, { code: 'ENDORSER_ADMIN_REQUIRED' }]);
  t.equal((await run('contract', 'approve', ...named)).status, 0);
  const early = await run('contract', 'commit', ...named);
  t.match(answered(early), [1, { code: 'ENDORSER_APPROVAL_MISSING' }]);
  t.equal((await run('contract', 'approve', ...named, '--org', 'org2')).status, 0);
  const other = await run('contract', 'commit', ...named, '--version', '1.1');
  t.match(answered(other), [1, { code: 'ENDORSER_APPROVAL_MISSING' }]);
  t.equal((await run('contract', 'commit', ...named)).status, 0);
});

t.test('a definition is followed by the next one only, and its code is sound', async (t) => {
  for (const sequence of ['1', '3']) {
    const again = ['contract', 'approve', 'notary', 'notary', '--version', '2.0'];
    const wrong = await run(...again, '--sequence', sequence);
    t.match(answered(wrong), [1, { code: /^ENDORSER_(?:SEQUENCE_WRONG|DEFINITION_INVALID)$/ }]);
  }
  const floats = join(t.testdir({}), 'float.wasm');
  writeFileSync(floats, await compiledContract('float'));
  for (const org of ['org1', 'org2']) {
    t.equal((await run('contract', 'approve', 'float', floats, '--org', org)).status, 0);
  }
  const unsound = await run('contract', 'commit', 'float', floats);
  t.match(answered(unsound), [1, { code: /^WASM_/, title: /float/ }]);
});

t.test('a request gets into a block that can be shown', async (t) => {
  const posted = answered(await run(...deposit, '--client', 'alice'));
  t.match(posted, [0, { state: 'committed' }]);
  const { block, requestId } = posted[1] as { block: number; requestId: string };
  t.match(answered(await run('block', 'show', String(block))), [
    0,
    { number: block, transactions: [{ validation: 'VALID', requests: [requestId] }] },
  ]);
  t.match(answered(await run('block', 'show', '999')), [1, { code: 'MANAGER_BLOCK_ABSENT' }]);
  t.match(answered(await run('block', 'show', '../health')), [1, { status: 400 }]);
});

t.test('a revoked client is out', async (t) => {
  t.equal((await run('client', 'revoke', 'alice')).status, 0);
  t.match((await run('client', 'list')).stdout, /^alice {2}revoked/m);
  // The running manager looks at the list a few times a second.
  await eventually(async () => {
    const [status, { code }] = answered(await run(...deposit, '--client', 'alice'));
    strictEqual(code, 'MANAGER_CLIENT_REVOKED');
    strictEqual(status, 1);
  });
  t.same(refusal(await run('client', 'revoke', 'nobody')), [1, 'CLI_CLIENT_MISSING']);
});

t.test('the network stops when it is asked to', async (t) => {
  up?.kill('SIGINT');
  t.same(await once(up as ChildProcess, 'exit'), [0, null]);
});
