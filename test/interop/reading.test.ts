/** What clients read: the zone and stock peers are asked in the same bytes, and answer the same. */
import { status } from '@grpc/grpc-js';
import t from 'tap';
import type { Test } from 'tap';
import { fromHex, utf8 } from '#base';
import {
  CommitStatusResponse,
  SignedChaincodeEventsRequest,
  SignedCommitStatusRequest,
  seekBehaviors,
  validationCodes,
} from '#formats';
import { at, endless, newest, oldest, seekRequest } from '../manager/deliver-client.ts';
import type { SeekSpec } from '../manager/deliver-client.ts';
import { eventsRequest, statusRequest } from '../manager/grpc-client.ts';
import type { Signatory } from '../manager/grpc-client.ts';
import { TestCa } from '../policy/test-ca.ts';
import { channelId } from '../policy/test-channel.ts';
import { write } from '../policy/test-transaction.ts';
import { orgs } from '../policy/test-validation.ts';
import { Announcements } from './announcements.ts';
import { read } from './hostile-chain.ts';
import type { Judged } from './hostile-chain.ts';
import { answerOf, deliveredBy, eventsOf, withBundlesTold } from './reading-answers.ts';
import { ReadingPlaces, signatoryOf } from './reading-places.ts';

const places = await ReadingPlaces.start(t);
const { chain } = places.network;
const { zone, stock } = places;
const [org1] = orgs;
const reader = signatoryOf(org1!.client, org1!.mspid);
const stranger = signatoryOf(
  await (await TestCa.root('ca.org1')).issue('stranger', { units: ['client'] }),
  org1!.mspid,
);
const nobody = { ...reader, serialized: utf8('me') };
const seconds = (ms: number) => ({ seconds: BigInt(Math.floor(ms / 1_000)), nanos: 0 });

const announcements = new Announcements(chain);
const named = announcements.named.bind(announcements);

const everyPeer = "AND('Org1MSP.peer', 'Org2MSP.peer', 'Org3MSP.peer')";
chain.define({ notary: everyPeer, cadastre: everyPeer });
const valid = (...made: { envelope: Uint8Array }[]) =>
  made.map(({ envelope }): Judged => ['VALID', envelope]);
const stale = {
  namespaces: [{ namespace: 'notary', reads: [read('one', { blockNum: 9n, txNum: 0n })] }],
};

const one = named('one', { namespaces: [{ namespace: 'notary', writes: [write('one')] }] });
const two = named('two');
const foreign = named('foreign', { contract: 'cadastre' });
const conflicting = named('conflicting', stale);
const unendorsed = named('unendorsed', { endorsements: () => [] });
const silent = announcements.announcing({}, { chaincodeAction: { events: utf8('') } });
const bundled = announcements.bundle('first', 'second', 'third');
const three = named('three');
const four = named('four');
chain.append(...valid(one, two));
chain.append(
  ...valid(foreign),
  ['MVCC_READ_CONFLICT', conflicting.envelope],
  ['ENDORSEMENT_POLICY_FAILURE', unendorsed.envelope],
  ...valid(silent),
);
chain.append(
  ...valid(
    announcements.announcing({ eventName: '' }),
    announcements.announcing({ eventName: 'no id', txId: '' }),
  ),
);
chain.append(...valid(three, bundled, four));
await places.commit();

async function sameAnswers(t: Test, path: string, requests: Readonly<Record<string, Uint8Array>>) {
  for (const [what, request] of Object.entries(requests)) {
    const ours = await answerOf(zone, path, request);
    for (const place of stock) {
      t.equal(ours, await answerOf(place, path, request), `${what} (${place.name})`);
    }
  }
}
t.test('the status of each transaction is told in the same bytes', async (t) => {
  const all = { one, two, foreign, conflicting, unendorsed, silent, three, four };
  const requests = Object.entries(all).map(([name, { txId }]) => [
    name,
    statusRequest(reader, txId, { channelId }),
  ]);
  await sameAnswers(t, '/gateway.Gateway/CommitStatus', Object.fromEntries(requests));
  const bytes = await answerOf(
    zone,
    '/gateway.Gateway/CommitStatus',
    requests[3]![1] as Uint8Array,
  );
  t.same(CommitStatusResponse.decode(fromHex(String(bytes))!), {
    result: validationCodes.MVCC_READ_CONFLICT,
    blockNumber: 3n,
  });
});

const signed = { request: utf8('\xff\xff'), signature: utf8('signature') };
const absent = 'ab'.repeat(32);

t.test('a request for a status that is refused is refused for the same reason', async (t) => {
  await sameAnswers(t, '/gateway.Gateway/CommitStatus', {
    empty: utf8(''),
    'without a request': SignedCommitStatusRequest.encode({ signature: utf8('signature') }),
    'malformed inside': SignedCommitStatusRequest.encode(signed),
    'of another channel': statusRequest(reader, one.txId, { channelId: 'other' }),
    'badly signed': statusRequest(reader, one.txId, { channelId, signature: utf8('signature') }),
    unsigned: statusRequest(reader, one.txId, { channelId, signature: utf8('') }),
    'by a stranger': statusRequest(stranger, one.txId, { channelId }),
    'by nobody': statusRequest(nobody, one.txId, { channelId }),
  });
});

t.test('a request for a status that lacks a part is refused as by the newest peers', async (t) => {
  const path = '/gateway.Gateway/CommitStatus';
  const lacking = {
    'a channel': statusRequest(reader, one.txId, { channelId: '' }),
    'an identity': statusRequest(reader, one.txId, { channelId, identity: utf8('') }),
  };
  for (const [what, request] of Object.entries(lacking)) {
    t.equal(await answerOf(zone, path, request), status.INVALID_ARGUMENT, what);
    for (const place of stock) {
      // Before 3.1 the policy says it.
      const answers: (string | number)[] = [status.INVALID_ARGUMENT, status.PERMISSION_DENIED];
      t.ok(answers.includes(await answerOf(place, path, request)), `${what} ${place.name}`);
    }
  }
  const unnamed = statusRequest(reader, '', { channelId });
  t.equal(await answerOf(zone, path, unnamed), status.INVALID_ARGUMENT, 'a transaction');
});

t.test('a status that does not come is waited for until the deadline', async (t) => {
  const request = statusRequest(reader, absent, { channelId });
  for (const { name, connection } of [zone, ...stock]) {
    const deadline = new Date(Date.now() + 1_000);
    const late = connection.unary('/gateway.Gateway/CommitStatus', request, { deadline });
    const { code } = await late.then(
      () => ({ code: status.OK }),
      (error: { code: status }) => error,
    );
    // gRPC for Go may be first to look at the clock, and breaks the stream off then.
    const others = name === zone.name ? [] : [status.CANCELLED];
    t.ok([status.DEADLINE_EXCEEDED, ...others].includes(code), `${name}: ${code}`);
  }
});

const eventRequests: Readonly<Record<string, [changes: EventChanges, messages: number]>> = {
  'from the first block on': [{ startPosition: at(0n) }, 2],
  'from a block in between on': [{ startPosition: at(3n) }, 1],
  'of another contract': [{ chaincodeId: 'cadastre', startPosition: at(0n) }, 1],
  'after a transaction': [{ afterTransactionId: one.txId }, 2],
  'after a transaction, whatever the position says': [
    { afterTransactionId: two.txId, startPosition: at(9n) },
    1,
  ],
  'after one of another contract': [{ afterTransactionId: foreign.txId }, 1],
};
type EventChanges = NonNullable<Parameters<typeof eventsRequest>[1]>;

t.test('the same events come, block by block, but for those of bundles', async (t) => {
  for (const [what, [changes, messages]] of Object.entries(eventRequests)) {
    const request = eventsRequest(reader, { channelId, ...changes });
    const ours = await eventsOf(zone, request, messages);
    for (const place of stock) {
      const theirs = await eventsOf(place, request, messages);
      t.same(ours, theirs.map(withBundlesTold), `${what} (${place.name})`);
    }
  }
});

t.test('a request for events that is refused is refused for the same reason', async (t) => {
  const requests: Readonly<Record<string, Uint8Array>> = {
    empty: utf8(''),
    'malformed inside': SignedChaincodeEventsRequest.encode(signed),
    'from the oldest on': eventsRequest(reader, { channelId, startPosition: oldest }),
    'from the newest on': eventsRequest(reader, { channelId, startPosition: newest }),
    'of another channel': eventsRequest(reader, { channelId: 'other' }),
    'badly signed': eventsRequest(reader, { channelId, signature: utf8('signature') }),
    'by a stranger': eventsRequest(stranger, { channelId }),
  };
  const deadline = () => ({ deadline: new Date(Date.now() + 20_000) });
  for (const [what, request] of Object.entries(requests)) {
    const { code } = await zone.connection.events(request, deadline()).failure();
    for (const { name, connection } of stock) {
      t.match(
        await connection.events(request, deadline()).failure(),
        { code },
        `${what} (${name})`,
      );
    }
  }
});

const now = seconds(Date.now());
const seeks: Readonly<Record<string, [spec: SeekSpec, from?: Signatory]>> = {
  'from the oldest to the newest': [{ start: oldest, stop: newest }],
  'from the first with a signature of the zone': [{ start: at(1n), stop: newest }],
  'the newest': [{ start: newest, stop: newest }],
  'without a nonce': [{ start: oldest, stop: oldest, nonce: utf8('') }],
  'more than there are': [
    { start: at(3n), stop: at(endless), behavior: seekBehaviors.failIfNotReady },
  ],
  'beyond what there is': [{ start: at(2n ** 53n), stop: at(endless) }],
  backwards: [{ start: at(2n), stop: at(1n) }],
  'without start and stop': [{ body: utf8('') }],
  'from nowhere': [{ start: {}, stop: newest }],
  'of another channel': [{ channelId: 'other' }],
  'without a timestamp': [{ timestamp: undefined }],
  'of an hour ago': [{ timestamp: seconds(Date.now() - 3_600_000) }],
  'badly signed': [{ signature: utf8('signature') }],
  'of garbage': [{ body: utf8('\xff\xff') }],
  'by a stranger': [{}, stranger],
};

for (const method of ['Deliver', 'DeliverFiltered', 'DeliverWithPrivateData']) {
  t.test(`${method} gives the same bytes`, async (t) => {
    for (const [what, [spec, from = reader]] of Object.entries(seeks)) {
      const request = seekRequest(from, { channelId, timestamp: now, ...spec });
      const ours = await deliveredBy(zone, method, request);
      for (const place of stock) {
        t.strictSame(ours, await deliveredBy(place, method, request), `${what} (${place.name})`);
      }
    }
  });
}

t.test('who waits is told the same when the next block is there', async (t) => {
  const next = named('next');
  const statuses = [zone, ...stock].map((place) =>
    answerOf(
      place,
      '/gateway.Gateway/CommitStatus',
      statusRequest(reader, next.txId, { channelId }),
    ),
  );
  const request = eventsRequest(reader, { channelId, startPosition: at(chain.height) });
  const events = [zone, ...stock].map((place) => eventsOf(place, request, 1));
  const seek = { start: at(chain.height), stop: at(chain.height), channelId, timestamp: now };
  const blocks = [zone, ...stock].map((place) =>
    deliveredBy(place, 'Deliver', seekRequest(reader, seek)),
  );
  chain.append(...valid(next));
  await places.commit();
  const [ourStatus, ...theirStatuses] = await Promise.all(statuses);
  for (const theirs of theirStatuses) t.equal(ourStatus, theirs);
  const [ourEvents, ...theirEvents] = await Promise.all(events);
  t.match(ourEvents, [{ events: [{ eventName: 'next' }] }]);
  for (const theirs of theirEvents) t.same(ourEvents, theirs);
  const [ourBlocks, ...theirBlocks] = await Promise.all(blocks);
  t.equal(ourBlocks?.length, 2);
  for (const theirs of theirBlocks) t.strictSame(ourBlocks, theirs);
});
