import t from 'tap';
import type { Test } from 'tap';
import { limits, silentLog, toHex, utf8 } from '#base';
import {
  Block,
  BroadcastResponse,
  deliverStatuses,
  seekBehaviors,
  seekContentTypes,
} from '#formats';
import { serveOrderer } from './grpc-service.ts';
import type { OrdererOptions } from './grpc-service.ts';
import { makeCa } from '../crypto/certificates.ts';
import { ManualClock, makeChannel, makeMember, makeTlsPair, startMs } from './channel.ts';
import { DeliverClient, at, endless, newest, oldest, seekRequest } from './deliver-client.ts';
import type { SeekSpec } from './deliver-client.ts';
import { signedRequest } from './signed-request.ts';
import { openTestLedger } from './test-ledger.ts';

const channel = await makeChannel();
const tls = await makeTlsPair();
const peer = await makeMember(channel.authorities.Org1MSP, 'Org1MSP', { name: 'peer0' });
const { success, badRequest, forbidden, notFound } = deliverStatuses;

const { ledger, commit } = await openTestLedger(t, channel);
await commit([{ requests: [signedRequest(peer, { alg: 'ES256', kid: 'clerk-1' })] }]);

/** Serves a ledger of three blocks: genesis, a definition, a bundle. */
async function serve(t: Test, changes: Partial<OrdererOptions> = {}) {
  const clock = new ManualClock();
  const service = serveOrderer({
    listen: { host: '127.0.0.1', port: 0, tls },
    channelConfig: () => channel.config,
    ledger,
    clock,
    log: silentLog,
    ...changes,
  });
  const port = await service.listen();
  t.teardown(() => service.close());
  const isPlain = changes.listen !== undefined && changes.listen.tls === undefined;
  const open = (method?: string) => {
    const client = new DeliverClient(port, isPlain ? undefined : tls.root, method);
    t.teardown(() => client[Symbol.dispose]());
    return client;
  };
  return { clock, service, port, open };
}

/** As `serve`, over a ledger of the test's own, which it may extend. */
async function serveOwn(t: Test, changes: Partial<OrdererOptions> = {}) {
  const own = await openTestLedger(t, channel);
  let kid = 0;
  const append = () => {
    kid += 1;
    const request = signedRequest(peer, { alg: 'ES256', kid: `clerk-${kid}` });
    return own.commit([{ requests: [request] }]);
  };
  return { ...(await serve(t, { ledger: own.ledger, ...changes })), ledger: own.ledger, append };
}

t.test(
  '002-15 P10 a peer pulls the blocks it lacks and then each new one, and no status',
  async (t) => {
    const { append, open } = await serveOwn(t);
    const client = open();
    client.ask(seekRequest(peer, { start: at(0n), stop: at(endless) }));
    t.equal((await client.next())?.block?.header?.number, 0n);
    t.equal((await client.next())?.block?.header?.number, 1n);
    const third = client.next();
    await append();
    t.equal((await third)?.block?.header?.number, 2n);
  },
);

t.test('a block is delivered as an orderer has it, byte for byte', async (t) => {
  const { open } = await serve(t);
  const client = open();
  client.ask(seekRequest(peer, { start: newest, stop: newest }));
  const bytes = (await client.nextBytes()) ?? utf8('');
  const block = ledger.block(2n)!;
  const metadata = [...(block.metadata?.metadata ?? [])];
  t.not(metadata[2]?.length, 0, 'the ledger has filled in what a committer does');
  metadata[2] = utf8('');
  metadata[4] = utf8('');
  const asOrdered = Block.encode({ ...block, metadata: { metadata } });
  t.equal(toHex(bytes.subarray(-asOrdered.length)), toHex(asOrdered));
});

const finite: Readonly<Record<string, [SeekSpec, (bigint | number)[]]>> = {
  'from the oldest to the newest': [{ start: oldest, stop: newest }, [0n, 1n, 2n, success]],
  'the newest alone': [{ start: newest, stop: newest }, [2n, success]],
  'the oldest alone': [{ start: oldest, stop: oldest }, [0n, success]],
  'one by its number': [{ start: at(1n), stop: at(1n) }, [1n, success]],
  'from a number on': [{ start: at(1n), stop: newest }, [1n, 2n, success]],
  'more than there are, without waiting': [
    { start: at(1n), stop: at(9n), behavior: seekBehaviors.failIfNotReady },
    [1n, 2n, notFound],
  ],
  'from beyond the next': [{ start: at(4n), stop: at(endless) }, [notFound]],
  'to one before the first': [{ start: at(2n), stop: at(1n) }, [badRequest]],
};

for (const [what, [spec, expected]] of Object.entries(finite)) {
  t.test(`blocks asked for ${what} come, then a status`, async (t) => {
    const { open } = await serve(t);
    const client = open();
    client.ask(seekRequest(peer, spec));
    t.strictSame(await client.untilStatus(), expected);
  });
}

t.test('a reader who knows blocks that the ledger lacks is noticed', async (t) => {
  const wanted: bigint[] = [];
  const { open } = await serve(t, { onAhead: (number) => wanted.push(number) });
  for (const [from, status] of [
    [3n, undefined],
    [4n, notFound],
  ] as const) {
    const client = open();
    client.ask(seekRequest(peer, { start: at(from), stop: at(endless) }));
    if (status !== undefined) t.strictSame(await client.untilStatus(), [status]);
  }
  t.strictSame(wanted, [4n], 'the next block is what everybody waits for');
});

t.test('after a finite request the stream takes the next one', async (t) => {
  const { open } = await serve(t);
  const client = open();
  for (let round = 0; round < 3; round += 1) {
    client.ask(seekRequest(peer));
    t.strictSame(await client.untilStatus(), [0n, 1n, 2n, success]);
  }
  client.endAsking();
  t.equal(await client.next(), undefined);
});

t.test('blocks keep coming to a client that has closed its own half', async (t) => {
  const { append, open } = await serveOwn(t);
  const client = open();
  client.ask(seekRequest(peer, { start: newest, stop: at(2n) }));
  client.endAsking();
  t.equal((await client.next())?.block?.header?.number, 1n);
  await append();
  t.strictSame(await client.untilStatus(), [2n, success]);
});

const stranger = await makeMember(await makeCa('Org1 CA'), 'Org1MSP');
const unnamed = await makeMember(channel.authorities.Org1MSP, 'Org1MSP', { unit: 'orderer' });
const seconds = (ms: number) => ({ seconds: BigInt(Math.floor(ms / 1_000)), nanos: 0 });
const skewMs = limits.clockSkewSecondsMax * 1_000;

const refused: Readonly<Record<string, [bytes: Uint8Array, status: number]>> = {
  'that is no envelope': [utf8('\xff\xff'), badRequest],
  'that is empty': [utf8(''), badRequest],
  'without a timestamp': [seekRequest(peer, { timestamp: undefined }), badRequest],
  'of too long ago': [
    seekRequest(peer, { timestamp: seconds(startMs - skewMs - 1_000) }),
    badRequest,
  ],
  'from too far ahead': [
    seekRequest(peer, { timestamp: seconds(startMs + skewMs + 1_000) }),
    badRequest,
  ],
  'for another channel': [seekRequest(peer, { channelId: 'other' }), notFound],
  'with a bad signature': [seekRequest(peer, { signature: utf8('signature') }), forbidden],
  'by an identity of a strange authority': [seekRequest(stranger), forbidden],
  'by an identity that is no reader': [seekRequest(unnamed), forbidden],
  'by bytes that are no identity': [seekRequest({ ...peer, serialized: utf8('me') }), forbidden],
  'without start and stop': [seekRequest(peer, { body: utf8('') }), badRequest],
  'with a start that is no position': [seekRequest(peer, { start: {} }), notFound],
  'with a stop that is no position': [seekRequest(peer, { stop: {} }), badRequest],
  'for what only peers have': [seekRequest(peer, { start: { nextCommit: {} } }), badRequest],
  'with a behavior nobody knows': [seekRequest(peer, { behavior: 7 }), badRequest],
  'with a content type nobody knows': [seekRequest(peer, { contentType: 7 }), badRequest],
};

for (const [what, [bytes, status]] of Object.entries(refused)) {
  t.test(`a request for blocks ${what} is refused, and ends the stream`, async (t) => {
    const { open } = await serve(t);
    const client = open();
    client.ask(bytes);
    t.strictSame(await client.untilStatus(), [status]);
    t.equal(await client.next(), undefined);
  });
}

t.test('a new configuration is asked again whether a reader may go on', async (t) => {
  const other = await makeChannel();
  let config = channel.config;
  const { append, open } = await serveOwn(t, { channelConfig: () => config });
  const client = open();
  client.ask(seekRequest(peer, { start: newest, stop: at(endless) }));
  t.equal((await client.next())?.block?.header?.number, 1n);
  // The same organisations with other authorities: this peer was struck off.
  config = other.config;
  await append();
  t.strictSame(await client.untilStatus(), [forbidden]);
});

t.test('a reader whose certificate runs out gets nothing more', async (t) => {
  const expiring = await makeMember(channel.authorities.Org1MSP, 'Org1MSP', {
    notAfter: new Date(startMs + 5_000),
  });
  const { append, clock, open } = await serveOwn(t);
  const client = open();
  client.ask(seekRequest(expiring, { start: newest, stop: at(endless) }));
  t.equal((await client.next())?.block?.header?.number, 1n);
  clock.advance(5_000);
  await append();
  t.equal((await client.next())?.block?.header?.number, 2n);
  clock.advance(1);
  await append();
  t.strictSame(await client.untilStatus(), [forbidden]);
  const late = open();
  late.ask(seekRequest(expiring));
  t.strictSame(await late.untilStatus(), [forbidden]);
});

t.test('whoever asks for headers gets configurations whole and of the rest no data', async (t) => {
  const { open } = await serve(t);
  const client = open();
  const contentType = seekContentTypes.headerWithSignature;
  client.ask(seekRequest(peer, { contentType }));
  const genesis = (await client.next())?.block;
  t.equal(genesis?.data?.data.length, 1);
  const header = (await client.next())?.block;
  t.equal(header?.header?.number, 1n);
  t.equal(header?.data, undefined);
  t.equal(header?.metadata?.metadata.length, 5);
});

t.test('a broadcast envelope is answered with "not implemented"', async (t) => {
  const { open } = await serve(t);
  const client = open('orderer.AtomicBroadcast/Broadcast');
  client.ask(utf8('envelope'));
  const answer = BroadcastResponse.decode((await client.nextBytes()) ?? utf8(''));
  t.equal(answer.status, deliverStatuses.notImplemented);
  t.equal(await client.next(), undefined);
});

t.test('without TLS the service is for its own host only', async (t) => {
  const options = {
    channelConfig: () => channel.config,
    ledger,
    clock: new ManualClock(),
    log: silentLog,
  };
  t.throws(() => serveOrderer({ ...options, listen: { host: '0.0.0.0', port: 0 } }), {
    code: 'MANAGER_LISTEN_INSECURE',
  });
  const { open } = await serve(t, { listen: { host: '127.0.0.1', port: 0 } });
  const client = open();
  client.ask(seekRequest(peer, { stop: oldest }));
  t.strictSame(await client.untilStatus(), [0n, success]);
});
