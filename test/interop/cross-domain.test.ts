import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import t from 'tap';
import { serviceOf } from '#cli';
import { OurPeer } from './our-peer.ts';
import { until } from './poll.ts';
import { TestNetwork } from '../support/test-network.ts';
import { WideAreaRelay } from '../support/wide-area-relay.ts';

const peerNames = ['peer-1', 'peer-2', 'peer-3'];
const requestCount = 5;

/** Between the zone and everybody else lies one relay each; what does not pass it was not sent. */
const target = { deliver: 0, http: 0 };
const toPeers: WideAreaRelay[] = [];
const peerPorts: number[] = [];
for (const _name of peerNames) {
  const relay = new WideAreaRelay(0);
  toPeers.push(relay);
  peerPorts.push(await relay.listen(0, () => connect(target.deliver, '127.0.0.1')));
}
const toClient = new WideAreaRelay(0);
const clientPort = await toClient.listen(0, () => connect(target.http, '127.0.0.1'));
t.teardown(() => Promise.all([...toPeers, toClient].map((relay) => relay[Symbol.asyncDispose]())));

const network = await TestNetwork.start({ peerCount: 3 }, (made) => {
  target.deliver = made.network.ports.deliver;
  target.http = made.network.ports.http;
  for (const [index, name] of peerNames.entries()) {
    made.configure(name, (config) => {
      Object.assign(config['deliver'] as object, { port: peerPorts[index] });
    });
  }
});
t.teardown(() => network[Symbol.asyncDispose]());

t.test(
  '002-22 a client asks the zone once, and the block goes out once to peers that say nothing',
  async (t) => {
    await network.deploy('notary');
    const client = await network.client('far-away');
    const { ports } = network.network;
    const service = serviceOf({ ...network.network, ports: { ...ports, http: clientPort } });
    const deposit = (index: number) =>
      client.sign('notary', ['deposit', String(index).padStart(64, '0'), 'a.txt', 'text/plain']);
    // The first opens the connection; what follows is counted.
    t.equal((await service.post(deposit(0))).status, 200);
    await committedEverywhere();
    for (const relay of toPeers) relay.hold('up');
    for (let index = 1; index <= requestCount; index += 1) {
      for (const relay of [...toPeers, toClient]) relay.takeCounts();
      const answer = await service.post(deposit(index));
      t.equal(answer.status, 200, JSON.stringify(answer.body).slice(0, 300));
      t.strictSame(toClient.takeCounts().flights, { up: 1, down: 1 }, 'one round trip');
      // No byte of any peer reaches the zone, and still all of them commit.
      await committedEverywhere();
      for (const relay of toPeers) t.equal(relay.takeCounts().flights.down, 1, 'one delivery');
    }
  },
);

async function committedEverywhere(): Promise<void> {
  const { height } = (await network.service.get('/v1/health')).body as { height: number };
  await Promise.all(peerNames.map((name) => committed(name, height)));
}

async function committed(name: string, height: number): Promise<void> {
  const file = network.network.layout.peerPortsFile(name);
  const { http } = JSON.parse(readFileSync(file, 'utf8')) as { http: number };
  const peer = new OurPeer(http, name);
  await until(`${name} to commit`, 60_000, async () => (await peer.height()) >= BigInt(height));
}
