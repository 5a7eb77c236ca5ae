import { cpSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { eventually } from '../support/eventually.ts';
import { TestNetwork } from '../support/test-network.ts';
import { temporaryDir } from '../support/temporary-dir.ts';

const network = await TestNetwork.start({ peerCount: 1 });
t.teardown(() => network[Symbol.asyncDispose]());
const { layout, ports } = network.network;
const ledgerDir = layout.ledger('manager');
const guardFile = join(layout.signerState('zone'), 'blocks.guard');
const kept = temporaryDir(t);
await network.deploy('notary');
const alice = await network.client('alice');
let deposits = 0;

async function deposit(): Promise<number> {
  deposits += 1;
  const hash = deposits.toString(16).padStart(64, '0');
  const { status } = await alice.post('notary', ['deposit', hash, 'x.txt', 'text/plain']);
  return status;
}

/** How many blocks the peer has. */
async function peerHeight(): Promise<number> {
  const answer = await fetch(`http://127.0.0.1:${ports.peers[0]}/v1/health`);
  return ((await answer.json()) as { height: number }).height;
}

async function stopZone(): Promise<void> {
  for (const name of ['manager', 'signer-zone']) await network.processes.kill(name);
}

function keep(name: string): void {
  cpSync(ledgerDir, join(kept, name, 'ledger'), { recursive: true });
  cpSync(guardFile, join(kept, name, 'blocks.guard'));
}

function restore(name: string, what: 'both' | 'ledger'): void {
  rmSync(ledgerDir, { recursive: true });
  cpSync(join(kept, name, 'ledger'), ledgerDir, { recursive: true });
  if (what === 'both') cpSync(join(kept, name, 'blocks.guard'), guardFile);
}

async function startZone(): Promise<void> {
  await network.processes.start('signer-zone');
  await network.processes.start('manager');
}

const ended = { code: 'CLI_PROCESS_ENDED' };
/** Why the manager did not start, the last time. It is started again and again. */
function refusal(): string | undefined {
  const codes = readFileSync(layout.log('manager'), 'utf8').matchAll(
    /HSM_GUARD_ROLLED_BACK|MANAGER_LEDGER_BEHIND|MANAGER_WITNESSES_SILENT/g,
  );
  return [...codes].at(-1)?.[0];
}

t.test('a zone restored whole from a copy signs nothing that peers have another of', async (t) => {
  await stopZone();
  keep('yesterday');
  await startZone();
  t.equal(await deposit(), 200);
  const { height } = (await network.service.get('/v1/health')).body as { height: number };
  await eventually(async () => {
    if ((await peerHeight()) < height) throw new Error('the peer lags');
  });
  await stopZone();
  keep('today');
  restore('yesterday', 'both');
  await t.rejects(startZone(), ended);
  t.equal(refusal(), 'HSM_GUARD_ROLLED_BACK');
  t.equal(await peerHeight(), height);
});

t.test('a ledger restored from a copy is not gone on with', async (t) => {
  await stopZone();
  restore('today', 'both');
  restore('yesterday', 'ledger');
  await t.rejects(startZone(), ended);
  t.equal(refusal(), 'MANAGER_LEDGER_BEHIND');
});

t.test('with its peers silent a zone orders nothing, if it was told so', async (t) => {
  await stopZone();
  restore('today', 'both');
  network.configure('manager', (config) => {
    Object.assign(config['witness'] as object, { answersMin: 1 });
  });
  await network.processes.kill('peer-1');
  await t.rejects(startZone(), ended);
  t.equal(refusal(), 'MANAGER_WITNESSES_SILENT');
  await stopZone();
  await network.processes.start('peer-1');
  await startZone();
  t.equal(await deposit(), 200);
});
