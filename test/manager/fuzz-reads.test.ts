import t from 'tap';
import { Fault, utf8 } from '#base';
import {
  ChaincodeEventsRequest,
  CommitStatusRequest,
  SignedChaincodeEventsRequest,
  SignedCommitStatusRequest,
  filteredBlockOf,
  toldTransaction,
} from '#formats';
import type { Block } from '#formats';
import { blockEvents } from '../../manager/block-events.ts';
import { EventCursor } from '../../manager/event-cursor.ts';
import { eventId, parseEventId } from '../../manager/event-ids.ts';
import { CallFailure } from '../../manager/grpc-faults.ts';
import { parseSignedRead } from '../../manager/signed-read.ts';
import { fuzz, seededRandom } from '../crypto/fuzzing.ts';
import { makeChannel, makeMember } from './channel.ts';
import { eventsRequest, statusRequest } from './grpc-client.ts';
import { signedRequest } from './signed-request.ts';
import { openTestLedger } from './test-ledger.ts';

const channel = await makeChannel();
const client = await makeMember(channel.authorities.Org1MSP, 'Org1MSP');
const txId = 'ab'.repeat(32);

/** Refusals of the gateway are no faults; for the fuzzer they count as such. */
function refusing<Result>(read: (bytes: Uint8Array) => Result) {
  return (bytes: Uint8Array): Result => {
    try {
      return read(bytes);
    } catch (error) {
      if (!(error instanceof CallFailure)) throw error;
      throw new Fault('MANAGER_TEST_REFUSED', 'malformed', 'refused', {}, error);
    }
  };
}

t.test('whatever is done to a signed request, it is read or refused', async (t) => {
  const noLedger = { height: 7n, transaction: () => undefined };
  const readStatus = refusing((bytes) =>
    parseSignedRead(bytes, SignedCommitStatusRequest, CommitStatusRequest, 'commit status'),
  );
  const readEvents = refusing((bytes) => {
    const outer = SignedChaincodeEventsRequest;
    const { request } = parseSignedRead(bytes, outer, ChaincodeEventsRequest, 'chaincode events');
    return new EventCursor(request, noLedger);
  });
  const startPosition = { specified: { number: 3n } };
  const inputs: [(bytes: Uint8Array) => unknown, Uint8Array][] = [
    [readStatus, statusRequest(client, txId)],
    [readEvents, eventsRequest(client, { startPosition, afterTransactionId: txId })],
  ];
  for (const [seed, [read, valid]] of inputs.entries()) {
    const { escaped, refused, accepted } = fuzz(read, valid, { seed, rounds: 1_500 });
    t.strictSame(escaped, []);
    t.ok(refused > 50 && accepted > 50, `${refused} refused, ${accepted} accepted`);
  }
});

t.test('whatever a block holds, its listeners are told something', async (t) => {
  const { commitEach } = await openTestLedger(t, channel);
  const event = { eventName: 'one', payload: utf8('payload') };
  const { block } = await commitEach([
    { contract: 'notary', event },
    {
      requests: [signedRequest(client, { alg: 'ES256', kid: 'clerk-1' })],
      events: [{ requestIndex: 0, name: 'two', payload: utf8('payload') }],
    },
  ]);
  for (const [index, envelope] of block.data!.data.entries()) {
    const tell = (bytes: Uint8Array) => {
      const mutated: Block = { ...block, data: { data: [bytes, bytes] } };
      return [toldTransaction(bytes), blockEvents(mutated), filteredBlockOf(mutated)];
    };
    const { escaped, refused, accepted } = fuzz(tell, envelope, { seed: index, rounds: 800 });
    t.strictSame(escaped, []);
    t.equal(refused, 0);
    t.equal(accepted, 800);
  }
});

t.test('an event’s id says where it stands, and other texts are whole transactions', async (t) => {
  const random = seededRandom(11);
  for (let round = 0; round < 500; round += 1) {
    const count = 1 + Math.floor(random() * 1_000_000);
    const index = Math.floor(random() * count);
    const expected = { txId, index: index === count - 1 ? undefined : index };
    t.strictSame(parseEventId(eventId(txId, index, count)), expected);
  }
  for (const text of ['', '/0', `${txId}/`, `${txId}/01`, `${txId}/-1`, `${txId}/1e3`, 'x/1']) {
    t.strictSame(parseEventId(text), { txId: text, index: undefined });
  }
  t.equal(parseEventId(`${txId}/9999999999`).index, undefined, 'no number that big');
});
