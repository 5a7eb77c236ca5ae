import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import t from 'tap';
import type { Test } from 'tap';
import { limits, silentLog } from '#base';
import { serveOrderer } from './grpc-service.ts';
import type { OrdererOptions } from './grpc-service.ts';
import { BlockStore } from './block-store.ts';
import { ManualClock, makeChannel, makeMember, makeTlsPair } from './channel.ts';
import { DeliverClient, at, endless, newest, oldest, seekRequest } from './deliver-client.ts';

const channel = await makeChannel();
const peer = await makeMember(channel.authorities.Org1MSP, 'Org1MSP', { name: 'peer0' });

const tls = await makeTlsPair();

async function serve(
  t: Test,
  bounds: OrdererOptions['bounds'] = {},
  place: Pick<OrdererOptions['listen'], 'tls'> = {},
) {
  const store = new BlockStore(channel.genesis);
  const service = serveOrderer({
    listen: { host: '127.0.0.1', port: 0, ...place },
    channelConfig: () => channel.config,
    ledger: store,
    clock: new ManualClock(),
    log: silentLog,
    bounds,
  });
  const port = await service.listen();
  t.teardown(() => service.close());
  const open = () => {
    const client = new DeliverClient(port, undefined);
    t.teardown(() => client[Symbol.dispose]());
    return client;
  };
  return { store, service, port, open };
}

/** Waits for what happens soon, and fails the test when it does not. */
async function soon(condition: () => boolean): Promise<void> {
  for (let round = 0; round < 500 && !condition(); round += 1) await delay(10);
  if (!condition()) throw new Error('it did not happen within 5 s');
}

const endlessRequest = () => seekRequest(peer, { start: oldest, stop: at(endless) });

/** Asks for blocks over bare HTTP/2, and never reads one. */
function askAndNeverRead(t: Test, port: number, ca?: string) {
  const scheme = ca === undefined ? 'http' : 'https';
  const session = connectHttp2(`${scheme}://localhost:${port}`, { ca });
  session.on('error', () => {});
  t.teardown(() => session.destroy());
  const stream = session.request({
    ':method': 'POST',
    ':path': '/orderer.AtomicBroadcast/Deliver',
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  stream.on('error', () => {});
  stream.pause();
  const body = endlessRequest();
  const head = Buffer.alloc(5);
  head.writeUInt32BE(body.length, 1);
  stream.write(Buffer.concat([head, body]));
  return session;
}

t.test('a client that reads nothing holds one block, and no other client up', async (t) => {
  const { store, port, open } = await serve(t);
  for (let block = 0; block < 50; block += 1) store.append(1024 * 1024);
  askAndNeverRead(t, port);
  await soon(() => store.reads > 0);
  const client = open();
  client.ask(seekRequest(peer, { start: newest, stop: newest }));
  t.equal((await client.next())?.block?.header?.number, 50n);
  const readForOther = 1;
  // The window of a stream and the socket's buffers take a few blocks of 1 MiB, not fifty.
  t.ok(store.reads - readForOther < 10, `${store.reads} blocks were read`);
});

for (const [how, place, ca] of [
  ['in the clear', {}, undefined],
  ['over TLS', { tls }, tls.root],
] as const) {
  t.test(`a client that takes no block for too long loses its connection ${how}`, async (t) => {
    const { store, port } = await serve(t, { sendWaitMsMax: 300 }, place);
    for (let block = 0; block < 20; block += 1) store.append(1024 * 1024);
    const session = askAndNeverRead(t, port, ca);
    await soon(() => store.reads > 0);
    await soon(() => session.destroyed);
    t.ok(session.destroyed);
  });
}

t.test('a client that has vanished frees its stream', async (t) => {
  const { store, open } = await serve(t, { streamsMax: 1 });
  const first = open();
  first.ask(endlessRequest());
  await first.next();
  first.cancel();
  await t.rejects(first.next());
  store.append();
  await soon(() => store.reads >= 1);
  const second = open();
  second.ask(seekRequest(peer, { start: newest, stop: newest }));
  t.equal((await second.next())?.block?.header?.number, 1n);
});

t.test('a stream too many is refused at once, and its place is free again later', async (t) => {
  const { open } = await serve(t, { streamsMax: 2 });
  const held = [open(), open()];
  for (const client of held) {
    client.ask(endlessRequest());
    await client.next();
  }
  const third = open();
  third.ask(endlessRequest());
  t.match(await third.failure(), { code: status.UNAVAILABLE });
  held[0]?.cancel();
  await soonServed(t, open);
});

async function soonServed(t: Test, open: () => DeliverClient): Promise<void> {
  for (let round = 0; round < 100; round += 1) {
    const client = open();
    client.ask(endlessRequest());
    const answered = await client.next().catch(() => undefined);
    if (answered !== undefined) {
      t.equal(answered.block?.header?.number, 0n);
      return;
    }
    await delay(10);
  }
  t.fail('the place stayed taken');
}

t.test('a stream on which nothing is asked is closed', async (t) => {
  const { open } = await serve(t, { silenceMsMax: 50 });
  t.match(await open().failure(), { code: status.UNAVAILABLE });
});

t.test('a request larger than any honest one is refused unread', async (t) => {
  const { open } = await serve(t);
  const client = open();
  client.ask(new Uint8Array(limits.deliverRequestBytesMax + 1));
  t.match(await client.failure(), { code: status.RESOURCE_EXHAUSTED });
});

t.test('P23 blocks near the largest size are delivered', async (t) => {
  const { store, open } = await serve(t);
  store.append(limits.blockBytesMax - 1_000);
  const client = open();
  client.ask(seekRequest(peer, { start: newest, stop: newest }));
  const block = (await client.next())?.block;
  t.equal(block?.data?.data[0]?.length, limits.blockBytesMax - 1_000);
});

t.test('closing the service ends every stream and connection', async (t) => {
  const { service, port, open } = await serve(t);
  const client = open();
  client.ask(endlessRequest());
  await client.next();
  const bystander = connect(port, '127.0.0.1');
  bystander.on('error', () => {});
  await new Promise((resolve) => bystander.once('connect', resolve));
  await service.close();
  t.match(await client.failure(), { code: status.UNAVAILABLE });
  await soon(() => bystander.destroyed);
  t.ok(bystander.destroyed);
});
