import { ok, strictEqual } from 'node:assert/strict';
import { setTimeout as wait } from 'node:timers/promises';
import t from 'tap';
import type { Block } from '#formats';
import { validationCodes } from '#formats';
import { seededRandom } from '../crypto/fuzzing.ts';
import { testNetwork } from '../policy/test-channel.ts';
import { DeliverServer } from '../support/deliver-server.ts';
import { eventually } from '../support/eventually.ts';
import { PeerProcess } from './peer-process.ts';
import { peerPlace } from '../support/peer-place.ts';
import { TestChain } from '../support/test-chain.ts';
import { bundleTransaction, definitionOf, requestOf } from '../support/test-transactions.ts';
import { ask, runPeer, tls } from './running-peer.ts';

const killsMin = 10;
const blocksPerLife = 4;
const committedLine = 'A block is committed.';
const keys = 7;

const network = await testNetwork(2);
const chain = new TestChain(network);
chain.append(definitionOf(network, 'notary'));
while (chain.height < 2 + (killsMin + 1) * blocksPerLife) {
  const key = `key-${Number(chain.height) % keys}`;
  const request = () => requestOf(network, { key, value: `of block ${chain.height}` });
  const failing = bundleTransaction(network, [request()], {
    endorsedBy: [1],
    code: validationCodes.ENDORSEMENT_POLICY_FAILURE,
  });
  chain.append(bundleTransaction(network, [request(), request()]), failing);
}

/** Each key was written last in one of the last blocks. */
const lastWriters = Array.from({ length: keys }, (_none, at) => chain.blocks.length - keys + at);

/** All that tells one peer's ledger from another's. */
async function ledgerOf(port: number) {
  const { body: health } = await ask(port, '/v1/health');
  const blocks = await Promise.all(
    chain.blocks.map(async (_block, number) => (await ask(port, `/v1/blocks/${number}`)).body),
  );
  const state = await Promise.all(
    Array.from({ length: keys }, async (_none, key) => {
      const { body } = await ask(port, `/v1/state/notary/key-${key}`);
      return { key, value: body['value'], version: body['version'] };
    }),
  );
  const { height, lastBlockHash, commitHash } = health;
  const codes = blocks.map((block) =>
    (block['transactions'] as { validationCode: { code: number } }[]).map(
      ({ validationCode }) => validationCode.code,
    ),
  );
  return { height, lastBlockHash, commitHash, blocks, codes, state };
}

t.test(
  '002-15 002-17 a peer killed in mid-stream again and again ends where an unharmed one does',
  async (t) => {
    const random = seededRandom(1_848);
    const visible: Block[] = [];
    const server = new DeliverServer({ tls, blocks: visible });
    await server.start();
    const place = peerPlace(chain, { port: server.port, root: tls.root }, { logLevel: 'debug' });
    t.teardown(async () => {
      await server[Symbol.asyncDispose]();
      place[Symbol.dispose]();
    });
    const reach = (count: number) => visible.push(...chain.blocks.slice(visible.length, count));
    const heights: number[] = [];
    for (let life = 0; life < killsMin; life += 1) {
      reach(2 + (life + 1) * blocksPerLife);
      const peer = new PeerProcess(place.configFile, place.config);
      // Between two commits, or in one, or before the first of this life.
      const commits = Math.floor(random() * blocksPerLife);
      await eventually(() => {
        ok(server.seeks.length > life && peer.count(committedLine) >= commits);
      });
      await wait(random() * 5);
      // Every third time the source of blocks goes down with it.
      if (life % 3 === 2) server.kill();
      t.equal(await peer.end('SIGKILL'), null, `killed, life ${life}`);
      if (life % 3 === 2) await server.start();
      heights.push(Number(server.seeks.at(-1)?.start ?? 0n));
    }
    t.ok((heights.at(-1) ?? 0) > killsMin, 'the lives went on from one another');
    t.same(
      heights,
      heights.toSorted((a, b) => a - b),
      'no life began before the one ahead of it',
    );
    reach(chain.blocks.length);
    const survivor = new PeerProcess(place.configFile, place.config);
    const port = await survivor.port();
    await eventually(async () => {
      strictEqual((await ask(port, '/v1/health')).body['height'], chain.blocks.length);
    });
    const recovered = await ledgerOf(port);
    t.equal(await survivor.end('SIGTERM'), 0, 'a stop in peace is a success');

    const unharmed = { ...place, config: { ...place.config, ledgerDir: `${place.dir}/unharmed` } };
    const { peer, committed } = await runPeer(t, { chain, server, place: unharmed });
    await committed(chain.blocks.length - 1);
    const whole = await ledgerOf(peer.port);
    t.same(recovered, whole, 'same blocks, codes, state and commit hash');
    t.same(whole.codes, chain.codes, 'which are the codes they have to get');
    const newest = whole.state.map(({ version }) => (version as { block: number }).block);
    t.same(
      newest.toSorted((a, b) => a - b),
      lastWriters,
      'and the newest values',
    );
  },
);
