import { connect as connectHttp2 } from 'node:http2';
import { status } from '@grpc/grpc-js';
import t from 'tap';
import type { Test } from 'tap';
import { textOf, utf8 } from '#base';
import { SignedChaincodeEventsRequest, validationCodes } from '#formats';
import type { CommittedBlock } from '#ledger';
import { makeCa } from '../crypto/certificates.ts';
import { makeChannel, makeMember, startMs } from './channel.ts';
import { eventsRequest } from './grpc-client.ts';
import { soon, startReadingZone } from './reading-zone.ts';
import { signedRequest } from './signed-request.ts';
import type { CodedSpec } from './test-ledger.ts';

const channel = await makeChannel();
const client = await makeMember(channel.authorities.Org1MSP, 'Org1MSP');
const { MVCC_READ_CONFLICT } = validationCodes;
const at = (number: bigint) => ({ specified: { number } });

let kid = 0;
function request(): Uint8Array {
  kid += 1;
  return signedRequest(client, { alg: 'ES256', kid: `clerk-${kid}` });
}

const plain = (name: string, contract = 'notary'): CodedSpec => ({
  contract,
  event: { eventName: name, payload: utf8(`payload of ${name}`) },
});

/** A bundle of as many requests as there are lists of events. */
function bundle(...names: string[][]): CodedSpec {
  return {
    requests: names.map(() => request()),
    events: names.flatMap((ofOne, requestIndex) =>
      ofOne.map((name) => ({ requestIndex, name, payload: utf8(`payload of ${name}`) })),
    ),
  };
}

async function startZone(t: Test, options: Parameters<typeof startReadingZone>[2] = {}) {
  const zone = await startReadingZone(t, channel, options);
  const connection = zone.connect();
  const listen = (changes: Parameters<typeof eventsRequest>[1] = {}, member = client) => {
    const stream = connection.events(eventsRequest(member, changes));
    t.teardown(() => stream[Symbol.dispose]());
    return stream;
  };
  return { ...zone, connection, listen };
}

t.test('the events of a contract come block by block, in their order', async (t) => {
  const { commitEach, listen } = await startZone(t);
  await commitEach([plain('one'), plain('two')]);
  await commitEach([{ contract: 'notary' }, plain('foreign', 'cadastre')]);
  await commitEach([plain('three'), { contract: 'notary' }]);
  const stream = listen({ startPosition: at(0n) });
  t.strictSame(await stream.nextNames(), [2n, 'one', 'two']);
  t.strictSame(await stream.nextNames(), [4n, 'three']);
  await commitEach([plain('four')]);
  t.strictSame(await stream.nextNames(), [5n, 'four']);
});

t.test('an event has what the contract gave it, and its transaction’s id', async (t) => {
  const { commitEach, listen } = await startZone(t);
  const { txIds } = await commitEach([plain('one')]);
  const response = await listen({ startPosition: at(2n) }).next();
  const payload = Buffer.from('payload of one');
  t.same(response?.events, [{ chaincodeId: 'notary', eventName: 'one', payload, txId: txIds[0] }]);
});

t.test('what is not valid, and what is no whole event, is left out', async (t) => {
  const { commitEach, listen } = await startZone(t);
  await commitEach([
    { ...plain('conflict'), code: MVCC_READ_CONFLICT },
    plain('valid'),
    { contract: 'notary', event: { eventName: '' } },
    { contract: 'notary', event: { eventName: 'no id', txId: '' } },
  ]);
  t.strictSame(await listen({ startPosition: at(0n) }).nextNames(), [2n, 'valid']);
});

for (const [what, startPosition] of [
  ['no position', undefined],
  ['the next commit', { nextCommit: {} }],
  ['a position without a type', {}],
] as const) {
  t.test(`with ${what} events come from the next block on`, async (t) => {
    const { commitEach, listen, server } = await startZone(t);
    await commitEach([plain('before')]);
    const stream = listen(startPosition === undefined ? {} : { startPosition });
    await soon(() => server.open.streams === 1);
    await commitEach([plain('after')]);
    t.strictSame(await stream.nextNames(), [3n, 'after']);
  });
}

t.test('a start in the future is waited for', async (t) => {
  const { commitEach, listen, server } = await startZone(t);
  const stream = listen({ startPosition: at(4n) });
  await soon(() => server.open.streams === 1);
  for (const name of ['two', 'three', 'four']) await commitEach([plain(name)]);
  t.strictSame(await stream.nextNames(), [4n, 'four']);
});

t.test('the events of a bundle’s requests come one by one', async (t) => {
  const { commitEach, listen } = await startZone(t);
  const { txIds } = await commitEach([bundle(['a', 'b'], [], ['c']), plain('d')]);
  const [bundleId, plainId] = txIds;
  const response = await listen({ startPosition: at(2n) }).next();
  t.same(
    response?.events.map(({ eventName, txId, chaincodeId, payload }) => [
      eventName,
      txId,
      chaincodeId,
      textOf(payload),
    ]),
    [
      ['a', `${bundleId}/0`, 'notary', 'payload of a'],
      ['b', `${bundleId}/1`, 'notary', 'payload of b'],
      ['c', bundleId, 'notary', 'payload of c'],
      ['d', plainId, 'notary', 'payload of d'],
    ],
  );
});

t.test(
  'after every event a client goes on with the next, and misses and repeats none',
  async (t) => {
    const { commitEach, listen } = await startZone(t);
    await commitEach([plain('1'), bundle(['2', '3'], ['4']), plain('other', 'cadastre')]);
    await commitEach([bundle(['5'])]);
    await commitEach([bundle(['6'], ['7'], ['8']), plain('9')]);
    const last = '9';
    const collect = async (changes: Parameters<typeof eventsRequest>[1]) => {
      const stream = listen(changes);
      const seen: { name: string; txId: string; block: bigint }[] = [];
      while (seen.at(-1)?.name !== last) {
        const response = await stream.next();
        for (const { eventName, txId } of response?.events ?? []) {
          seen.push({ name: eventName, txId, block: response!.blockNumber });
        }
      }
      stream[Symbol.dispose]();
      return seen;
    };
    const all = await collect({ startPosition: at(0n) });
    t.strictSame(
      all.map(({ name }) => name),
      ['1', '2', '3', '4', '5', '6', '7', '8', '9'],
    );
    t.equal(new Set(all.map(({ txId }) => txId)).size, all.length, 'no two have one id');
    for (const [index, { txId, block }] of all.slice(0, -1).entries()) {
      const rest = await collect({ startPosition: at(block), afterTransactionId: txId });
      t.strictSame(rest, all.slice(index + 1), `after ${all[index]?.name}`);
    }
  },
);

t.test('after a bundle’s own id all of its events lie behind', async (t) => {
  const { commitEach, listen } = await startZone(t);
  const { txIds } = await commitEach([bundle(['1'], ['2']), plain('3')]);
  const stream = listen({ afterTransactionId: txIds[0]! });
  t.strictSame(await stream.nextNames(), [2n, '3']);
});

const silent: Readonly<Record<string, CodedSpec>> = {
  'that emitted nothing': { contract: 'notary' },
  'that was not valid': { ...plain('conflict'), code: MVCC_READ_CONFLICT },
  'of another contract': plain('foreign', 'cadastre'),
};
for (const [what, spec] of Object.entries(silent)) {
  t.test(`a client goes on after a transaction ${what}`, async (t) => {
    const { commitEach, listen } = await startZone(t);
    const { txIds } = await commitEach([plain('before'), spec, plain('after')]);
    const stream = listen({ startPosition: at(0n), afterTransactionId: txIds[1]! });
    t.strictSame(await stream.nextNames(), [2n, 'after']);
  });
}

t.test('after a transaction that is in no block, nothing comes until it is in one', async (t) => {
  const { commitEach, listen, prepare, server } = await startZone(t);
  const later = prepare([plain('named'), plain('after')]);
  const stream = listen({ startPosition: at(0n), afterTransactionId: later.txIds[0]! });
  await soon(() => server.open.streams === 1);
  await commitEach([plain('before')]);
  await later.commit();
  t.strictSame(await stream.nextNames(), [3n, 'after']);
});

const stranger = await makeMember(await makeCa('Org1 CA'), 'Org1MSP');
const refused: Readonly<Record<string, [bytes: Uint8Array, code: status]>> = {
  'that is empty': [utf8(''), status.INVALID_ARGUMENT],
  'that is no message': [utf8('\xff\xff'), status.INVALID_ARGUMENT],
  'whose inside is no message': [
    SignedChaincodeEventsRequest.encode({ request: utf8('\xff\xff') }),
    status.INVALID_ARGUMENT,
  ],
  'from the oldest block on': [
    eventsRequest(client, { startPosition: { oldest: {} } }),
    status.INVALID_ARGUMENT,
  ],
  'from the newest block on': [
    eventsRequest(client, { startPosition: { newest: {} } }),
    status.INVALID_ARGUMENT,
  ],
  'for another channel': [eventsRequest(client, { channelId: 'other' }), status.PERMISSION_DENIED],
  'with a bad signature': [
    eventsRequest(client, { signature: utf8('signature') }),
    status.PERMISSION_DENIED,
  ],
  'by an identity of a strange authority': [eventsRequest(stranger), status.PERMISSION_DENIED],
};

t.test('a request for events is refused', async (t) => {
  const { connection, server } = await startZone(t);
  for (const [what, [bytes, code]] of Object.entries(refused)) {
    t.match(await connection.events(bytes).failure(), { code }, what);
  }
  await soon(() => server.open.streams === 0);
});

t.test('a listener whose certificate runs out gets nothing more', async (t) => {
  const expiring = await makeMember(channel.authorities.Org1MSP, 'Org1MSP', {
    notAfter: new Date(startMs + 5_000),
  });
  const { clock, commitEach, listen } = await startZone(t);
  await commitEach([plain('early')]);
  const stream = listen({ startPosition: at(0n) }, expiring);
  t.strictSame(await stream.nextNames(), [2n, 'early']);
  clock.advance(5_001);
  await commitEach([plain('late')]);
  t.match(await stream.failure(), { code: status.PERMISSION_DENIED });
});

t.test('a listener that a new configuration strikes off gets nothing more', async (t) => {
  const other = await makeChannel();
  let config = channel.config;
  const { commitEach, listen } = await startZone(t, { channelConfig: () => config });
  await commitEach([plain('early')]);
  const stream = listen({ startPosition: at(0n) });
  t.strictSame(await stream.nextNames(), [2n, 'early']);
  config = other.config;
  await commitEach([plain('late')]);
  t.match(await stream.failure(), { code: status.PERMISSION_DENIED });
});

t.test('a deadline ends the stream', async (t) => {
  const { connection, server } = await startZone(t);
  const deadline = new Date(Date.now() + 500);
  const stream = connection.events(eventsRequest(client), { deadline });
  t.match(await stream.failure(), { code: status.DEADLINE_EXCEEDED });
  await soon(() => server.open.streams === 0);
});

t.test('listeners that leave are forgotten', async (t) => {
  const { commitEach, listen, server } = await startZone(t);
  await commitEach([plain('one')]);
  for (let round = 0; round < 20; round += 1) {
    const stream = listen({ startPosition: at(0n) });
    t.strictSame(await stream.nextNames(), [2n, 'one']);
    stream[Symbol.dispose]();
  }
  await soon(() => server.open.streams === 0);
  const held = listen({ startPosition: at(0n) });
  await held.nextNames();
  t.equal(server.open.streams, 1);
});

t.test('a listener that reads nothing loses its connection, and holds nobody up', async (t) => {
  const zone = await startZone(t, { bounds: { sendWaitMsMax: 500 } });
  const payload = new Uint8Array(1024 * 1024);
  const heavy = (): CodedSpec => ({ contract: 'notary', event: { eventName: 'heavy', payload } });
  const blocks: CommittedBlock[] = [];
  for (let count = 0; count < 8; count += 1) blocks.push(await zone.commitEach([heavy()]));
  const session = connectHttp2(`http://localhost:${zone.port}`);
  session.on('error', () => {});
  t.teardown(() => session.destroy());
  const silentStream = session.request({
    ':method': 'POST',
    ':path': '/gateway.Gateway/ChaincodeEvents',
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  silentStream.on('error', () => {});
  silentStream.pause();
  const body = eventsRequest(client, { startPosition: at(0n) });
  const head = Buffer.alloc(5);
  head.writeUInt32BE(body.length, 1);
  silentStream.write(Buffer.concat([head, body]));
  silentStream.end();
  await soon(() => zone.server.open.streams === 1);
  const last = blocks.at(-1)?.number ?? 0n;
  t.strictSame(await zone.listen({ startPosition: at(last) }).nextNames(), [last, 'heavy']);
  await soon(() => session.destroyed);
  await soon(() => zone.server.open.streams === 1);
});
