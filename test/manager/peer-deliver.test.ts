import { status } from '@grpc/grpc-js';
import t from 'tap';
import type { Test } from 'tap';
import { limits, toHex, utf8 } from '#base';
import {
  Block,
  PeerDeliverResponse,
  deliverStatuses,
  encodeBlockResponse,
  headerTypes,
  metadataIndexes,
  seekBehaviors,
  validationCodes,
} from '#formats';
import { makeCa } from '../crypto/certificates.ts';
import { channelId, makeChannel, makeMember, startMs } from './channel.ts';
import { DeliverClient, at, endless, newest, oldest, seekRequest } from './deliver-client.ts';
import type { SeekSpec } from './deliver-client.ts';
import { soon, startReadingZone } from './reading-zone.ts';

const channel = await makeChannel();
const client = await makeMember(channel.authorities.Org1MSP, 'Org1MSP');
const { success, badRequest, forbidden, notFound } = deliverStatuses;
const { VALID, MVCC_READ_CONFLICT } = validationCodes;
const nextCommit = { nextCommit: {} };

type Method = 'Deliver' | 'DeliverFiltered' | 'DeliverWithPrivateData';
const methods: readonly Method[] = ['Deliver', 'DeliverFiltered', 'DeliverWithPrivateData'];

async function startZone(t: Test, options: Parameters<typeof startReadingZone>[2] = {}) {
  const zone = await startReadingZone(t, channel, options);
  const open = (method: Method = 'Deliver') => {
    const stream = new PeerDeliverClient(zone.port, method);
    t.teardown(() => stream[Symbol.dispose]());
    return stream;
  };
  return { ...zone, open };
}

/** As a client of the ordering service, but for a peer's forms of a block. */
class PeerDeliverClient extends DeliverClient {
  constructor(port: number, method: Method) {
    super(port, undefined, `protos.Deliver/${method}`);
  }

  async nextForm(): Promise<PeerDeliverResponse> {
    return PeerDeliverResponse.decode((await this.nextBytes()) ?? utf8(''));
  }

  /** Numbers of blocks, whatever their form, up to and with the first status. */
  async untilStatusOfForms(): Promise<(bigint | number)[]> {
    const seen: (bigint | number)[] = [];
    for (;;) {
      const response = await this.nextForm();
      if (response.status !== undefined) return [...seen, response.status];
      seen.push(numberOf(response));
    }
  }
}

function numberOf({ block, filteredBlock, blockAndPrivateData }: PeerDeliverResponse): bigint {
  const number =
    filteredBlock?.number ?? (block ?? blockAndPrivateData?.block)?.header?.number ?? -1n;
  return number;
}

t.test('a whole block comes with its final codes, byte for byte as a peer has it', async (t) => {
  const { commitEach, ledger, open } = await startZone(t);
  await commitEach([{ contract: 'notary' }, { contract: 'notary', code: MVCC_READ_CONFLICT }]);
  const stream = open();
  stream.ask(seekRequest(client, { start: newest, stop: newest }));
  const bytes = (await stream.nextBytes()) ?? utf8('');
  const stored = ledger.block(2n)!;
  t.strictSame(
    [...stored.metadata!.metadata[metadataIndexes.transactionsFilter]!],
    [VALID, MVCC_READ_CONFLICT],
  );
  t.not(stored.metadata!.metadata[metadataIndexes.commitHash]!.length, 0);
  t.equal(toHex(bytes), toHex(encodeBlockResponse(Block.encode(stored))));
});

t.test('a filtered block has ids, codes and events without payload', async (t) => {
  const { commitEach, open } = await startZone(t);
  const event = { eventName: 'deposited', payload: utf8('secret') };
  const { txIds } = await commitEach([
    { contract: 'notary', event },
    { contract: 'notary', code: MVCC_READ_CONFLICT },
  ]);
  const stream = open('DeliverFiltered');
  stream.ask(seekRequest(client, { start: newest, stop: newest }));
  const { filteredBlock } = await stream.nextForm();
  const [first, second] = txIds;
  const chaincodeEvent = {
    chaincodeId: 'notary',
    txId: first,
    eventName: 'deposited',
    payload: utf8(''),
  };
  const type = headerTypes.endorserTransaction;
  t.same(filteredBlock, {
    channelId,
    number: 2n,
    filteredTransactions: [
      {
        txid: first,
        type,
        txValidationCode: VALID,
        transactionActions: { chaincodeActions: [{ chaincodeEvent }] },
      },
      {
        txid: second,
        type,
        txValidationCode: MVCC_READ_CONFLICT,
        transactionActions: { chaincodeActions: [] },
      },
    ],
  });
});

t.test('a filtered configuration block has no actions', async (t) => {
  const { open } = await startZone(t);
  const stream = open('DeliverFiltered');
  stream.ask(seekRequest(client, { start: oldest, stop: oldest }));
  const { filteredBlock } = await stream.nextForm();
  t.match(filteredBlock, { channelId, number: 0n });
  t.match(filteredBlock?.filteredTransactions, [{ type: headerTypes.config }]);
  t.equal(filteredBlock?.filteredTransactions[0]?.transactionActions, undefined);
});

t.test('a block with private data is the whole block and none of it', async (t) => {
  const { commitEach, ledger, open } = await startZone(t);
  await commitEach([{ contract: 'notary' }]);
  const stream = open('DeliverWithPrivateData');
  stream.ask(seekRequest(client, { start: newest, stop: newest }));
  const bytes = (await stream.nextBytes()) ?? utf8('');
  const response = PeerDeliverResponse.decodeCanonical(bytes);
  t.same(response.blockAndPrivateData?.block, ledger.block(2n));
});

const asked: Readonly<Record<string, [SeekSpec, (bigint | number)[]]>> = {
  'from the oldest to the newest': [{ start: oldest, stop: newest }, [0n, 1n, 2n, success]],
  'the newest alone': [{ start: newest, stop: newest }, [2n, success]],
  'up to a number that JavaScript cannot count to': [
    { start: at(1n), stop: at(endless), behavior: seekBehaviors.failIfNotReady },
    [1n, 2n, notFound],
  ],
  'from such a number on': [{ start: at(2n ** 53n), stop: at(endless) }, [notFound]],
  'from such a number to the one before': [
    { start: at(2n ** 64n - 1n), stop: at(2n ** 64n - 2n) },
    [notFound],
  ],
  'to one before the first': [{ start: at(2n), stop: at(1n) }, [badRequest]],
  'to the next commit': [{ start: at(1n), stop: nextCommit }, [badRequest]],
  'without a start': [{ body: utf8('') }, [badRequest]],
  'with a start that is no position': [{ start: {} }, [notFound]],
  'with a stop that is no position': [{ stop: {} }, [badRequest]],
  'of another channel': [{ channelId: 'other' }, [notFound]],
  'without a timestamp': [{ timestamp: undefined }, [badRequest]],
  'too long ago': [
    {
      timestamp: {
        seconds: BigInt(startMs / 1_000 - limits.clockSkewSecondsMax - 1),
        nanos: 0,
      },
    },
    [badRequest],
  ],
  'with a bad signature': [{ signature: utf8('signature') }, [forbidden]],
};

t.test('blocks are asked for', async (t) => {
  const { commitEach, open } = await startZone(t);
  await commitEach([{ contract: 'notary' }]);
  for (const method of methods) {
    for (const [what, [spec, expected]] of Object.entries(asked)) {
      const stream = open(method);
      stream.ask(seekRequest(client, spec));
      t.strictSame(await stream.untilStatusOfForms(), expected, `${method}: ${what}`);
    }
  }
});

t.test('bytes that are no envelope are a bad request', async (t) => {
  const { open } = await startZone(t);
  for (const method of methods) {
    const stream = open(method);
    stream.ask(utf8('\xff\xff'));
    t.strictSame(await stream.untilStatusOfForms(), [badRequest]);
  }
});

t.test('a request needs no nonce', async (t) => {
  const { open } = await startZone(t);
  const stream = open();
  stream.ask(seekRequest(client, { start: oldest, stop: oldest, nonce: utf8('') }));
  t.strictSame(await stream.untilStatusOfForms(), [0n, success]);
});

for (const method of methods) {
  t.test(`${method} goes on with each next commit`, async (t) => {
    const { commitEach, open, server } = await startZone(t);
    const stream = open(method);
    // As the Node SDK asks: up to the largest number that JavaScript counts to.
    stream.ask(seekRequest(client, { start: nextCommit, stop: at(2n ** 53n - 1n) }));
    await soon(() => server.open.streams === 1);
    for (const number of [2n, 3n]) {
      await commitEach([{ contract: 'notary' }]);
      t.equal(numberOf(await stream.nextForm()), number);
    }
  });
}

t.test(
  'a reader of another organisation’s authority is refused, and so is no reader',
  async (t) => {
    const { open } = await startZone(t);
    const stranger = await makeMember(await makeCa('Org1 CA'), 'Org1MSP');
    const orderer = await makeMember(channel.authorities.ZoneMSP, 'ZoneMSP', { unit: 'orderer' });
    for (const member of [stranger, orderer]) {
      const stream = open();
      stream.ask(seekRequest(member));
      t.strictSame(await stream.untilStatusOfForms(), [forbidden]);
    }
  },
);

t.test('a session ends with its client’s certificate', async (t) => {
  const expiring = await makeMember(channel.authorities.Org1MSP, 'Org1MSP', {
    notAfter: new Date(startMs + 5_000),
  });
  const { clock, commitEach, open } = await startZone(t);
  const stream = open('DeliverFiltered');
  stream.ask(seekRequest(expiring, { start: newest, stop: at(endless) }));
  t.equal(numberOf(await stream.nextForm()), 1n);
  clock.advance(5_001);
  await commitEach([{ contract: 'notary' }]);
  t.strictSame(await stream.untilStatusOfForms(), [forbidden]);
});

t.test('a request larger than any honest one is refused unread', async (t) => {
  const { open, server } = await startZone(t);
  const stream = open();
  stream.ask(new Uint8Array(limits.deliverRequestBytesMax + 1));
  t.match(await stream.failure(), { code: status.RESOURCE_EXHAUSTED });
  await soon(() => server.open.streams === 0);
});

t.test('a stream too many is refused at once', async (t) => {
  const { open, server } = await startZone(t, { bounds: { streamsMax: 3 } });
  const streams = [open(), open(), open()];
  for (const stream of streams) {
    stream.ask(seekRequest(client, { start: oldest, stop: at(endless) }));
    t.equal(numberOf(await stream.nextForm()), 0n);
  }
  const refused = open();
  refused.ask(seekRequest(client));
  t.match(await refused.failure(), { code: status.UNAVAILABLE });
  for (const stream of streams) stream.cancel();
  await soon(() => server.open.streams === 0);
});
