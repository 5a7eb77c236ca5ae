import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { mountSmallDisk } from '../support/small-disk.ts';
import type { SmallDisk } from '../support/small-disk.ts';
import { TestNetwork } from '../support/test-network.ts';
import { managerBlocks } from './agreement.ts';
import { answerOf } from './answers.ts';

const mebibyte = 1024 * 1024;
/** What the ledger keeps free to finish what it began, and some blocks more. */
const diskBytes = 80 * mebibyte;
const ballastBytes = 30 * mebibyte;

let disk: SmallDisk | undefined;
const network = await TestNetwork.start(
  { organisations: [{ name: 'org1', mspid: 'Org1MSP' }], endorserCount: 1, peerCount: 1 },
  ({ network: { layout } }) => {
    const dir = layout.ledger('manager');
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    disk = mountSmallDisk(dir, String(diskBytes));
  },
);
t.teardown(async () => {
  await network.processes.stopAll();
  disk?.unmount();
  await network[Symbol.asyncDispose]();
});
await network.deploy('notary', { policy: "OR('Org1MSP.peer')" });
const alice = await network.client('alice');

let deposits = 0;

function sign(): string {
  deposits += 1;
  return alice.sign('notary', ['deposit', `${deposits}`.padStart(64, '0'), 'x', 'text/plain']);
}

t.test(
  'a full disk refuses requests and records nothing by halves',
  { skip: disk?.notMounted ?? false },
  async (t) => {
    answerOf(await network.service.post(sign()));
    const before = await managerBlocks(network);
    const ballast = join(network.network.layout.ledger('manager'), 'ballast');
    writeFileSync(ballast, new Uint8Array(ballastBytes));
    const refused = sign();
    for (const jws of [refused, refused, sign()]) {
      t.match(await network.service.post(jws), { status: 503, body: { code: 'LEDGER_DISK_FULL' } });
    }
    t.same(await managerBlocks(network), before, 'the ledger is as it was');
    t.equal((await network.service.get('/v1/health')).status, 200, 'the manager still answers');
    rmSync(ballast);
    t.equal((await network.service.post(refused)).status, 200, 'the refused request, later');
    t.equal((await managerBlocks(network)).length, before.length + 1);
  },
);
