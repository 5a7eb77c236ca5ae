import { join } from 'node:path';
import t from 'tap';
import { rotateKey } from '#cli';
import { underLoad } from '../support/steady-load.ts';
import { TestNetwork } from '../support/test-network.ts';
import { until } from './poll.ts';
import { joinStockPeer, ourPeers } from './product-network.ts';
import type { StockPeer } from './stock-peer.ts';
import { sdkClient } from './sdk-client.ts';
import { validationCodesIn, verdictIn } from './stored-block.ts';
import { fabricVersions } from './versions.ts';
import { zoneProfile } from './zone-for-clients.ts';

const waitMsMax = 120_000;
const keys = [
  'node0.org1',
  'ordering0.zone',
  'relay0.zone',
  'attestation0.zone',
  'node0.org2',
  'node0.org1',
];

const network = await TestNetwork.start({ peerCount: 1 });
t.teardown(() => network[Symbol.asyncDispose]());
await network.deploy('notary');
const client = await network.client('user1');
const dir = t.testdir();
const stock: StockPeer[] = [];
for (const version of fabricVersions()) {
  stock.push(await joinStockPeer(t, network, version, join(dir, version.name)));
}
const peers = [...ourPeers(network), ...stock];

t.test('keys of every role are rotated under load, one of them twice', async (t) => {
  const load = await underLoad(network, client, { callers: 2, requestsPerCall: 10 }, async () => {
    for (const key of keys) await rotateKey(network.dir, key);
  });
  t.equal(load.failed, 0, load.firstFailure ?? 'every answer is 200');
});

t.test('clients of Fabric’s SDK go on too, and all that they commit is valid', async (t) => {
  const sdk = sdkClient({ ...zoneProfile(network), contract: 'notary' });
  t.teardown(() => sdk[Symbol.dispose]());
  const contract = sdk.gateway.getNetwork(network.channel).getContract('notary');
  const done = new AbortController();
  let committed = 0;
  const submitting = async (caller: number) => {
    for (let count = 0; !done.signal.aborted; count += 1) {
      const digest = `${caller + 1}${count.toString(16)}`.padStart(64, 'e');
      await contract.submitTransaction('deposit', digest, 'deed', 'text/plain');
      committed += 1;
    }
  };
  const callers = Promise.all([0, 1, 2].map(submitting));
  try {
    for (const key of keys) await Promise.race([rotateKey(network.dir, key), callers]);
  } finally {
    done.abort();
  }
  await t.resolves(callers);
  t.ok(committed > 0);
});

t.test('stock peers and ours commit every block, and every transaction is valid', async (t) => {
  const height = BigInt(((await network.service.get('/v1/health')).body as Health).height);
  for (const peer of peers) {
    await until(
      `${peer.name} at ${height}`,
      waitMsMax,
      async () => (await peer.height()) >= height,
    );
  }
  const [first, ...others] = await Promise.all(peers.map((peer) => peer.blocks(height)));
  const invalid = first!
    .flatMap((block) => [...validationCodesIn(block)])
    .filter((code) => code !== 0);
  t.strictSame(invalid, []);
  for (const [index, blocks] of others.entries()) {
    t.strictSame(blocks.map(verdictIn), first!.map(verdictIn), peers[index + 1]!.name);
  }
});

interface Health {
  height: number;
}
