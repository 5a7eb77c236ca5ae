import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import t from 'tap';
import { TestNetwork } from '../support/test-network.ts';
import { managerBlocks, peersAgree } from './agreement.ts';
import { answerOf } from './answers.ts';
import type { Answer } from './answers.ts';

const mebibyte = 1024 * 1024;
/** What the ledger keeps free to finish what it began, and some blocks more. */
const diskBytes = 80 * mebibyte;
const ballastBytes = 30 * mebibyte;

t.setTimeout(120_000);
let notMounted: false | string = false;
const network = await TestNetwork.start(
  { organisations: [{ name: 'org1', mspid: 'Org1MSP' }], endorserCount: 1, peerCount: 1 },
  ({ network: { layout } }) => {
    notMounted = mountSmallDisk(layout.ledger('manager'));
  },
);
const disk = network.network.layout.ledger('manager');
t.teardown(async () => {
  await network.processes.stopAll();
  if (notMounted === false) execFileSync('umount', [disk]);
  await network[Symbol.asyncDispose]();
});
await network.deploy('notary', { policy: "OR('Org1MSP.peer')" });
const alice = await network.client('alice');

let deposits = 0;

function sign(): string {
  deposits += 1;
  return alice.sign('notary', ['deposit', `${deposits}`.padStart(64, '0'), 'x', 'text/plain']);
}

function signMany(count: number): string {
  const operations = Array.from({ length: count }, (): [string, ...string[]] => {
    deposits += 1;
    return ['deposit', `${deposits}`.padStart(64, '0'), 'x', 'text/plain'];
  });
  return alice.sign('notary', ...operations);
}

t.test(
  'a full disk refuses requests and records nothing by halves',
  { skip: notMounted },
  async (t) => {
    answerOf(await network.service.post(sign()));
    const before = await managerBlocks(network);
    writeFileSync(join(disk, 'ballast'), new Uint8Array(ballastBytes));
    const refused = sign();
    for (const jws of [refused, refused, sign()]) {
      t.match(await network.service.post(jws), { status: 503, body: { code: 'LEDGER_DISK_FULL' } });
    }
    t.same(await managerBlocks(network), before, 'the ledger is as it was');
    t.equal((await network.service.get('/v1/health')).status, 200, 'the manager still answers');
    rmSync(join(disk, 'ballast'));
    t.equal((await network.service.post(refused)).status, 200, 'the refused request, later');
    t.equal((await managerBlocks(network)).length, before.length + 1);
  },
);

t.test('a block that was begun waits for room, and is finished when there is some', async (t) => {
  const blocksFile = join(disk, 'blocks-000000');
  // The limit below is for every file of the process: its log must stay far from it.
  answerOf(await network.service.post(signMany(300)));
  const sizeBefore = statSync(blocksFile).size;
  answerOf(await network.service.post(sign()));
  const size = statSync(blocksFile).size;
  // Room for a block as large as the last but not for the end of its seal.
  limitFileSize(`${size + (size - sizeBefore) - 400}`);
  const posted = answerOf(await network.service.post(sign(), '?wait=none'));
  const waits = '"awaited":"room on its disk"';
  const log = () => readFileSync(network.network.layout.log('manager'), 'utf8');
  for (let polls = 0; polls < 1_000 && !log().includes(waits); polls += 1) await wait(20);
  t.ok(log().includes(waits), 'the manager says what it waits for');
  const look = async () => answerOf(await network.service.get(`/v1/requests/${posted.requestId}`));
  t.equal((await look()).state, 'pending');
  limitFileSize('unlimited');
  let found: Answer = await look();
  for (let polls = 0; polls < 1_000 && found.state === 'pending'; polls += 1) {
    await wait(20);
    found = await look();
  }
  t.match(found, { status: 200, state: 'committed' });
  await network.restart('manager');
  t.same(await look(), found);
  await peersAgree(t, network);
});

function limitFileSize(bytes: string): void {
  execFileSync('prlimit', [`--fsize=${bytes}:`, '--pid', `${network.processes.pid('manager')}`]);
}

/** @returns false, or the reason why it cannot be done. */
function mountSmallDisk(directory: string): false | string {
  if (process.getuid?.() !== 0) return 'only root can mount a small disk';
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  try {
    const options = `size=${diskBytes},mode=0700`;
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'ledger', directory], { stdio: 'pipe' });
    return false;
  } catch (error) {
    return `a small disk cannot be mounted here: ${(error as Error).message}`;
  }
}
