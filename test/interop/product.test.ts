import { createHash } from 'node:crypto';
import { join } from 'node:path';
import t from 'tap';
import { toHex } from '#base';
import { Block, bundleOf, parseRequest, parseTransaction, validationCodes } from '#formats';
import { TestNetwork } from '../support/test-network.ts';
import type { TestClient } from '../support/test-network.ts';
import { until } from './poll.ts';
import { joinStockPeer, ourPeers } from './product-network.ts';
import { validationCodesIn, verdictIn } from './stored-block.ts';
import type { StockPeer } from './stock-peer.ts';
import { fabricVersions } from './versions.ts';

const waitMsMax = 60_000;

type Operation = [name: string, ...args: string[]];

interface Answer {
  status: number;
  state: string;
  requestId: string;
  block: number;
  transaction: string;
  problem?: { code: string };
}

const network = await TestNetwork.start();
t.teardown(() => network[Symbol.asyncDispose]());
const dir = t.testdir();
const stock: StockPeer[] = [];
for (const version of fabricVersions()) {
  stock.push(await joinStockPeer(t, network, version, join(dir, version.name)));
}
const ours = ourPeers(network);
const peers = [...ours, ...stock];
/** Where clients were told that their requests are, by request id. */
const answered = new Map<string, Answer>();
/** Ids of requests that were posted until somebody answered. */
const insisted = new Set<string>();

t.test('requests of all kinds are answered', async (t) => {
  t.equal((await network.deploy('notary')).status, 200);
  const client = await network.client('clerk');
  const other = await network.client('stranger', 'EdDSA');

  const single = await client.post('notary', deposit('single'));
  t.equal(note(single.body).status, 200, JSON.stringify(single.body).slice(0, 300));

  const many = await post(Array.from({ length: 40 }, (_none, at) => sign(client, `many ${at}`)));
  t.strictSame(new Set(many.map(({ status }) => status)), new Set([200]));

  const failing = await post([
    sign(client, 'single'),
    other.sign('notary', ['transfer', digestOf('single'), 'Org1MSP::CN=nobody']),
    other.sign('notary', deposit('by another'), ['noSuchFunction']),
    sign(other, 'by another after all'),
  ]);
  t.strictSame(
    failing.map(({ state, status }) => [state, status < 400]),
    [
      ['committed', false],
      ['committed', false],
      ['committed', false],
      ['committed', true],
    ],
  );

  const operations = Array.from({ length: 200 }, (_none, at) => deposit(`operation ${at}`));
  const large = await client.post('notary', ...operations);
  t.equal(note(large.body).status, 200);
});

t.test('a manager and a stock peer that are killed in mid-stream lose no answer', async (t) => {
  const client = await network.client('streamer');
  await stock[0]?.kill();
  for (const blocksBeforeKill of [0n, 1n, 2n]) {
    const calls = Array.from({ length: 24 }, (_none, call) =>
      Array.from({ length: 20 }, (_one, at) => sign(client, `${blocksBeforeKill} ${call} ${at}`)),
    );
    const height = (await zoneHeight()) + blocksBeforeKill;
    const settled = Promise.allSettled(calls.map(post));
    const grown = until(`height ${height}`, waitMsMax, async () => (await zoneHeight()) >= height);
    await Promise.race([settled, grown]);
    await network.processes.kill('manager');
    await settled;
    await network.processes.start('manager');
    if (blocksBeforeKill === 1n) await stock[0]?.start();
    // Whoever got no answer asks again, and is told of the first time if there was one.
    const states = (await post(calls.flat())).map(({ state, problem }) => problem?.code ?? state);
    const expected = new Set(['committed', 'MANAGER_REQUEST_REPLAYED']);
    t.strictSame(new Set(states).difference(expected), new Set());
    for (const jws of calls.flat()) insisted.add(parseRequest(Buffer.from(jws)).requestId);
  }
});

t.test('002-15 all peers have the same chain, codes and commit hashes', async (t) => {
  const height = await zoneHeight();
  for (const peer of peers) {
    await until(
      `${peer.name} at ${height}`,
      waitMsMax,
      async () => (await peer.height()) >= height,
    );
    t.equal(await peer.height(), height, peer.name);
  }
  const [first, ...others] = await Promise.all(peers.map((peer) => peer.blocks(height)));
  for (const [index, blocks] of others.entries()) {
    t.strictSame(blocks.map(verdictIn), first!.map(verdictIn), peers[index + 1]!.name);
  }
});

for (const peer of stock) {
  t.test(
    `every request is in one valid transaction, where its client was told (${peer.name})`,
    async (t) => {
      const places = new Map<string, string>();
      for (const [number, bytes] of (await peer.blocks(await peer.height())).entries()) {
        const codes = validationCodesIn(bytes);
        for (const [index, envelope] of Block.decode(bytes).data!.data.entries()) {
          if (codes[index] !== validationCodes.VALID) continue;
          const parsed = parseTransaction(envelope);
          for (const { requestId } of bundleOf(parsed)?.results ?? []) {
            if (places.has(toHex(requestId))) t.fail('a request is executed twice');
            places.set(toHex(requestId), `${number} ${parsed.channelHeader.txId}`);
          }
        }
      }
      t.strictSame(insisted.difference(new Set(places.keys())), new Set());
      t.ok(answered.size > 40, `${answered.size} answers`);
      for (const [requestId, { block, transaction }] of answered) {
        t.equal(places.get(requestId), `${block} ${transaction}`);
      }
    },
  );

  t.test(`the contract's definition is one that it understands (${peer.name})`, async (t) => {
    const printed = await peer.cli('lifecycle', 'chaincode', 'querycommitted', '-C', 'main');
    t.match(printed, /Name: notary, Version: 1\.0, Sequence: 1,/);
    const one = ['-C', 'main', '-n', 'notary', '--output', 'json'];
    const definition = await peer.cli('lifecycle', 'chaincode', 'querycommitted', ...one);
    t.match(JSON.parse(definition), { sequence: 1, version: '1.0', validation_plugin: 'vscc' });
  });
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function deposit(name: string): Operation {
  return ['deposit', digestOf(name), name, 'text/plain'];
}

function sign(client: TestClient, name: string): string {
  return client.sign('notary', deposit(name));
}

async function post(requests: readonly string[]): Promise<Answer[]> {
  return (await network.service.postMany(requests)).map(note);
}

function note(body: unknown): Answer {
  const answer = body as Answer;
  if (answer.state === 'committed') answered.set(answer.requestId, answer);
  return answer;
}

async function zoneHeight(): Promise<bigint> {
  const { body } = await network.service.get('/v1/health');
  return BigInt((body as { height: number }).height);
}
