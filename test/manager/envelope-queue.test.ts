import t from 'tap';
import { limits, utf8 } from '#base';
import { EnvelopeQueue } from '../../manager/envelope-queue.ts';
import type { EnvelopeEntry } from '../../manager/envelope-queue.ts';
import { fault } from '../../manager/faults.ts';

const room = { count: 500, bytes: 1_000_000, atLeastOne: true };

function add(queue: EnvelopeQueue, text: string, txId = text, alone = false) {
  return queue.add(utf8(text), { txId, alone });
}

function texts(entries: readonly EnvelopeEntry[]): string[] {
  return entries.map(({ envelope }) => new TextDecoder().decode(envelope));
}

t.test(
  'envelopes leave in the order in which they came, as many as there is room for',
  async (t) => {
    const queue = new EnvelopeQueue();
    for (const text of ['one', 'two', 'three', 'four']) add(queue, text);
    t.same(texts(queue.take({ ...room, count: 2 })), ['one', 'two']);
    t.same(texts(queue.take({ ...room, bytes: 5 })), ['three']);
    t.same(texts(queue.take(room)), ['four']);
    t.equal(queue.depth, 0);
  },
);

t.test('an envelope larger than the room goes only where nothing else would', async (t) => {
  const queue = new EnvelopeQueue();
  for (const text of ['large', 'two']) add(queue, text);
  t.same(texts(queue.take({ count: 9, bytes: 4, atLeastOne: false })), []);
  t.same(texts(queue.take({ count: 9, bytes: 4, atLeastOne: true })), ['large']);
});

t.test('a configuration goes alone, before all that came behind it', async (t) => {
  const queue = new EnvelopeQueue();
  add(queue, 'one');
  add(queue, 'config', '', true);
  add(queue, 'two');
  t.same(queue.takeAlone(), []);
  t.same(texts(queue.take(room)), ['one']);
  t.same(texts(queue.take(room)), [], 'what is behind it waits');
  t.same(texts(queue.takeAlone()), ['config']);
  t.same(texts(queue.take(room)), ['two']);
});

t.test('the same bytes join those on their way, other bytes of one id do not', async (t) => {
  const queue = new EnvelopeQueue();
  const first = add(queue, 'signed', 'id');
  t.equal(add(queue, 'signed', 'id'), first);
  const forged = add(queue, 'forged', 'id');
  t.not(forged, first);
  const [one, two, ...others] = queue.take(room);
  t.same(others, []);
  // Taken, but not settled yet: still on its way.
  t.equal(add(queue, 'signed', 'id'), first);
  two?.refuse(fault('MANAGER_ENVELOPE_FORGED'));
  await t.rejects(forged.accepted, { code: 'MANAGER_ENVELOPE_FORGED' });
  one?.settle({ blockNumber: 7n, index: 1, code: 0 });
  await first.accepted;
  t.same(await first.committed, { blockNumber: 7n, index: 1, code: 0 });
  t.not(add(queue, 'signed', 'id'), first, 'one that is settled is no longer on its way');
});

t.test('acceptance comes before the commit', async (t) => {
  const queue = new EnvelopeQueue();
  const submission = add(queue, 'one');
  const [entry] = queue.take(room);
  let isCommitted = false;
  const committed = submission.committed.then(() => (isCommitted = true));
  entry?.accept();
  await submission.accepted;
  t.notOk(isCommitted);
  entry?.settle({ blockNumber: 1n, index: 0, code: 11 });
  await committed;
});

t.test('what is waiting or on its way is refused when the service stops', async (t) => {
  const queue = new EnvelopeQueue();
  const onItsWay = add(queue, 'one');
  queue.take(room);
  const waiting = add(queue, 'two');
  queue.refuseAll(fault('MANAGER_STOPPING'));
  for (const { accepted, committed } of [onItsWay, waiting]) {
    await t.rejects(accepted, { code: 'MANAGER_STOPPING' });
    await t.rejects(committed, { code: 'MANAGER_STOPPING' });
  }
});

t.test('past its bytes the queue refuses at once and keeps nothing', async (t) => {
  const queue = new EnvelopeQueue();
  const large = { length: limits.requestQueueBytesMax } as Uint8Array;
  queue.add(large, { txId: 'large', alone: false });
  t.throws(() => add(queue, 'one'), { code: 'MANAGER_QUEUE_FULL' });
  t.equal(queue.depth, 1);
});
