import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import t from 'tap';
import { silentLog } from '#base';
import { openLedger } from '#ledger';
import { ConfigMemo, createValidator } from '#policy';
import { guardedHashes } from '../hsm/guarded-hashes.ts';
import { compiledContract } from '../support/compiled-contract.ts';
import { SignerProxy } from '../support/signer-proxy.ts';
import { TestNetwork } from '../support/test-network.ts';
import { managerBlocks, peersAgree } from '../e2e/agreement.ts';
import { answerOf, faultCode } from '../e2e/answers.ts';
import type { Answer } from '../e2e/answers.ts';
import { persist } from '../e2e/persistent-caller.ts';

const victims = ['manager', 'signer-zone', 'endorser-1', 'signer-org2'];
const killsPerVictim = 2;
const callers = 6;
const requestsMin = 200;
const keys = ['k0', 'k1', 'k2', 'k3', 'k4'];

const network = await TestNetwork.start();
t.teardown(() => network[Symbol.asyncDispose]());
const { layout } = network.network;
await network.deploy('counter', { code: await compiledContract('samples') });
const alice = await network.client('alice');
/** Every request that was answered. */
const answered = new Map<string, { jws: string; answer: Answer }>();

t.test('clients get an answer to every request while processes are killed', async (t) => {
  const kills = { areDone: false };
  const call = async () => {
    while (!kills.areDone || answered.size < requestsMin) {
      const jws = alice.sign('counter', ['increment', keys[randomInt(keys.length)]!]);
      const answer = await persist(network, jws);
      answered.set(answer.requestId, { jws, answer });
    }
  };
  const calling = Promise.all(Array.from({ length: callers }, call));
  for (let round = 0; round < killsPerVictim; round += 1) {
    for (const name of victims) await Promise.race([killLater(name), calling]);
  }
  kills.areDone = true;
  await calling;
  t.ok(answered.size >= requestsMin);
  t.comment(`${answered.size} requests answered`);
});

t.test(
  'a block that stands without its signature when the manager dies gets it later',
  async (t) => {
    const socket = join(layout.runDir, 'proxy-signer.sock');
    await using proxy = await SignerProxy.start(socket, layout.socket('signer-zone'));
    network.configure('manager', (config) => {
      config['signer'] = { ...(config['signer'] as object), socket };
    });
    for (const keepsBack of ['calls', 'answers'] as const) {
      proxy.keepsBack = 'nothing';
      await network.restart('manager');
      proxy.keepsBack = keepsBack;
      const jws = alice.sign('counter', ['increment', keys[0]!]);
      const posted = answerOf(await network.service.post(jws, '?wait=none'));
      await proxy.kept();
      await network.processes.kill('manager');
      proxy.keepsBack = 'nothing';
      await network.processes.start('manager');
      const found = answerOf(await network.service.get(`/v1/requests/${posted.requestId}`));
      t.match(found, { status: 200, state: 'committed' }, `${keepsBack} kept back`);
      answered.set(posted.requestId, { jws, answer: found });
    }
    network.configure('manager', (config) => {
      config['signer'] = {
        ...(config['signer'] as object),
        socket: layout.socket('signer-zone'),
      };
    });
    await network.restart('manager');
  },
);

t.test('002-8 an answered request is on the ledger once, and executed once', async (t) => {
  const blocks = await managerBlocks(network);
  const executions = blocks
    .flatMap(({ transactions }) => transactions)
    .filter(({ contract, validation }) => contract === 'counter' && validation === 'VALID')
    .flatMap(({ requests }) => requests ?? []);
  t.equal(new Set(executions).size, executions.length, 'no request twice');
  const missing = [...answered.keys()].filter((id) => !executions.includes(id));
  t.same(missing, [], 'every answered one is there');
  let counted = 0;
  for (const key of keys) {
    const { payloads } = answerOf(await alice.post('counter', ['get', key]));
    counted += Number(payloads[0]!.text);
  }
  t.equal(counted, executions.length, 'the contract counted each once');
});

t.test('002-8 a replay of every answered request is refused', async (t) => {
  const again = [...answered.values()].map(({ jws }) => jws);
  const codes = (await network.service.postMany(again)).map(faultCode);
  t.same(new Set(codes), new Set(['MANAGER_REQUEST_REPLAYED']));
});

t.test('the guard let one header of each height be signed: the one on the ledger', async (t) => {
  const blocks = await managerBlocks(network);
  t.same(
    guardedHashes(join(layout.signerState('zone'), 'blocks.guard')).toSorted(),
    blocks
      .slice(1)
      .map(({ number, headerHash }) => `${number} ${headerHash}`)
      .toSorted(),
  );
});

t.test('002-15 both peers come to the manager’s state', async (t) => {
  await peersAgree(t, network);
});

t.test('no block is left waiting for its signature', async (t) => {
  await network.processes.kill('manager');
  const memo = new ConfigMemo();
  const validate = createValidator();
  await using ledger = await openLedger({
    dir: layout.ledger('manager'),
    log: silentLog,
    validate: (block, lookups, configBlock) => validate(block, memo.of(configBlock), lookups),
  });
  t.equal(ledger.proposed, undefined);
});

/** After some more answers and a moment more, so that every stage of a block is hit sometimes. */
async function killLater(name: string): Promise<void> {
  const enough = answered.size + randomInt(4, 20);
  while (answered.size < enough) await wait(5);
  await wait(randomInt(30));
  const pid = network.processes.pid(name) ?? 0;
  process.kill(pid, 'SIGKILL');
  while (network.processes.pid(name) === pid) await wait(20);
}
