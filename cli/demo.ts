import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Fault } from '#base';
import { Block } from '#formats';
import { verifyReceipt } from '#peer';
import { dirOption, readArguments } from './arguments.ts';
import { admitIdentity, newClient } from './clients.ts';
import { contractCode, deployContract, lifecycleFunctions } from './deploy.ts';
import { faultText } from './fault-text.ts';
import { readNamed } from './named-file.ts';
import { createNetwork } from './network-create.ts';
import { openNetwork, serviceOf } from './network-open.ts';
import type { OpenNetwork } from './network-open.ts';
import { defaultNetwork, identityNames } from './network-spec.ts';
import { PeerClient } from './peer-client.ts';
import { postRequest } from './post-request.ts';
import { waitUntilStopped } from './run-foreground.ts';
import { ZoneProcesses } from './zone-processes.ts';

/** `npm run demo [-- FILE...] [--stay] [--dir DIR]`: the whole product on one machine, with real parts. */
const projectDir = fileURLToPath(new URL('..', import.meta.url));
const given = readArguments(process.argv.slice(2));
const { words, options } = given;
const files = words.length > 0 ? words : ['README.md', 'package.json', 'LICENSE'].map(inProject);
const ownDir = inProject('demo-network');
const dir = resolve(dirOption(given, ownDir));
const clientName = 'alice';
const policy = `AND(${defaultNetwork.organisations.map(({ mspid }) => `'${mspid}.peer'`).join(', ')})`;

interface Deposited {
  file: string;
  digest: string;
  receiptFile: string;
}

async function demo(): Promise<void> {
  for (const file of files) readNamed(file);
  await step('making tokens, keys, certificates and the genesis block', async () => {
    // A directory that the caller named may hold a network that is dear to them.
    if (dir === ownDir) rmSync(dir, { recursive: true, force: true });
    await createNetwork(dir, defaultNetwork);
  });
  const network = openNetwork(dir);
  await using processes = new ZoneProcesses(network.layout);
  const names = ZoneProcesses.names(network.layout);
  await step(`starting ${names.length} processes: ${names.join(', ')}`, () => processes.startAll());
  await step('approving the contract notary as each administrator, and committing it', () =>
    deployNotary(network),
  );
  await step(`registering the client ${clientName}`, () =>
    newClient(dir, {
      kid: clientName,
      orgName: 'org1',
      algorithm: 'ES256',
      nodeOu: 'client',
      grants: [{ channel: network.spec.channel, contract: 'notary', functions: ['*'] }],
    }),
  );
  const deposited: Deposited[] = [];
  for (const file of files) deposited.push(await depositFile(network, file));
  showRefusals(network, deposited[0] as Deposited);
  say(`\n${deposited.length} files deposited, ${deposited.length} receipts verified offline.`);
  say(`Everything lies in ${dir}; log files in ${network.layout.logDir}.`);
  if (options['stay'] === true) await waitUntilStopped(network, say);
}

async function deployNotary({ spec }: OpenNetwork): Promise<void> {
  const admins = spec.organisations.map(({ name }) => identityNames.admin(name));
  const functions = [...lifecycleFunctions];
  const grants = [{ channel: spec.channel, contract: '_lifecycle', functions }];
  for (const admin of admins) admitIdentity(dir, admin, grants);
  const code = await contractCode('notary');
  const deployment = { name: 'notary', version: '1.0', sequence: 1, policy, code };
  expectSuccess((await deployContract(dir, admins, deployment)).body);
}

/** Posts one file's digest and shows everything that came of it. */
async function depositFile(network: OpenNetwork, file: string): Promise<Deposited> {
  const digest = sha256File(file);
  say(`\n${file}  sha256 ${digest}`);
  const answer = await postRequest({
    dir,
    kid: clientName,
    contract: 'notary',
    operations: [{ function: 'deposit', args: [digest, basename(file), mediaTypeOf(file)] }],
  });
  const done = expectSuccess(answer.body);
  const service = serviceOf(network);
  const transaction = (await service.get(`/v1/transactions/${done.transaction}`)).body as {
    endorsers: string[];
  };
  const receiptFile = join(dir, 'receipts', `${done.requestId}.json`);
  mkdirSync(join(dir, 'receipts'), { recursive: true, mode: 0o700 });
  writeFileSync(receiptFile, JSON.stringify(done.receipt));
  say(`  request       ${done.requestId}`);
  say(`  block         ${done.block}`);
  say(`  transaction   ${done.transaction}`);
  say(`  endorsements  ${transaction.endorsers.join(', ')}`);
  for (const name of ZoneProcesses.names(network.layout).filter((one) => one.startsWith('peer-'))) {
    const verdict = await PeerClient.open(network.layout, name).verdict(done.transaction);
    say(`  ${name.padEnd(12)}  ${verdict}`);
  }
  say(`  receipt       ${receiptFile}`);
  verifyReceipt(readFileSync(receiptFile), { genesis: genesisOf(network) });
  say('  verified      offline, with the genesis block alone');
  return { file, digest, receiptFile };
}

/** Shows that neither another file nor an altered receipt passes. */
function showRefusals(network: OpenNetwork, { file, digest, receiptFile }: Deposited): void {
  const changed = createHash('sha256').update(readFileSync(file)).update('x').digest('hex');
  if (changed === digest) throw new Error('a changed file has the same digest');
  say(`\na changed copy of ${basename(file)}: refused, its digest is ${changed.slice(0, 16)}…`);
  const receipt = JSON.parse(readFileSync(receiptFile, 'utf8')) as { leafIndex: string };
  const altered = { ...receipt, leafIndex: String(Number(receipt.leafIndex) + 1) };
  try {
    verifyReceipt(Buffer.from(JSON.stringify(altered)), { genesis: genesisOf(network) });
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    say(`a changed receipt: refused, ${error.code}`);
    return;
  }
  throw new Error('a changed receipt was taken for good');
}

function expectSuccess(body: unknown): Committed {
  const answer = body as Committed;
  if (answer.status !== 200) throw new Error(`the request failed: ${JSON.stringify(body)}`);
  return answer;
}

interface Committed {
  status: number;
  requestId: string;
  block: number;
  transaction: string;
  receipt: unknown;
}

function genesisOf(network: OpenNetwork): Block {
  return Block.decode(readFileSync(network.layout.genesisFile));
}

function sha256File(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}

function mediaTypeOf(file: string): string {
  if (file.endsWith('.md')) return 'text/markdown';
  return file.endsWith('.json') ? 'application/json' : 'application/octet-stream';
}

async function step(what: string, work: () => Promise<void>): Promise<void> {
  const startMs = performance.now();
  process.stdout.write(`${what} … `);
  await work();
  say(`${((performance.now() - startMs) / 1000).toFixed(1)} s`);
}

function inProject(name: string): string {
  return join(projectDir, name);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

try {
  await demo();
} catch (error) {
  if (!(error instanceof Fault)) throw error;
  process.stderr.write(`\n${faultText(error)}\n`);
  process.exitCode = 1;
}
