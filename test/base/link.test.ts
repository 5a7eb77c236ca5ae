import { once } from 'node:events';
import { statSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import type { Test } from 'tap';
import { LinkClient, declareFaults, limits, serveLink, textOf, utf8 } from '#base';
import type { LinkHandler } from '#base';
import { temporaryDir } from '../support/temporary-dir.ts';

const fault = declareFaults({ TEST_LINK_DENIED: ['denied', 'The test says no.'] });
const echo: LinkHandler = (method, payload) => utf8(`${method}:${textOf(payload)}`);

async function serve(t: Test, handler: LinkHandler, onFailure?: (error: unknown) => void) {
  const path = join(temporaryDir(t), 's.sock');
  const server = await serveLink(path, handler, onFailure);
  const client = new LinkClient(path);
  t.teardown(async () => {
    client.close();
    await server.close();
  });
  return { path, server, client };
}

t.test('answers come back to their calls, whatever order they are given in', async (t) => {
  const waiting = new Map<string, (answer: Uint8Array) => void>();
  const { client } = await serve(t, (_method, payload) => {
    const { promise, resolve } = Promise.withResolvers<Uint8Array>();
    waiting.set(textOf(payload), resolve);
    if (waiting.size === 3) {
      for (const [name, answer] of [...waiting].toReversed()) answer(utf8(`answer ${name}`));
    }
    return promise;
  });
  const answers = await Promise.all(
    ['a', 'b', 'c'].map((name) => client.call(1, utf8(name), 9_000)),
  );
  t.same(answers.map(textOf), ['answer a', 'answer b', 'answer c']);
});

t.test('a payload of several megabytes arrives whole', async (t) => {
  const { client } = await serve(t, (_method, payload) => payload);
  const large = new Uint8Array(5 * 1024 * 1024).map((_byte, index) => index % 251);
  t.same(Buffer.compare(await client.call(1, large, 9_000), large), 0);
});

t.test('a fault travels with its code, kind and detail; anything else says nothing', async (t) => {
  const failures: unknown[] = [];
  const { client } = await serve(
    t,
    (method) => {
      if (method === 1) throw fault('TEST_LINK_DENIED', { number: 7n });
      throw new Error('a secret');
    },
    (error) => failures.push(error),
  );
  await t.rejects(client.call(1, utf8(''), 9_000), {
    code: 'TEST_LINK_DENIED',
    kind: 'denied',
    detail: { number: '7' },
  });
  const told = await client.call(2, utf8(''), 9_000).catch((error: Error) => error.message);
  t.equal(told, 'The process at the other end failed inside.');
  t.match(failures, [{ message: 'a secret' }]);
});

t.test('a call that gets no answer ends in its time', async (t) => {
  const { client } = await serve(t, () => new Promise<Uint8Array>(() => {}));
  await t.rejects(client.call(1, utf8(''), 20), { code: 'BASE_LINK_TIMEOUT', kind: 'busy' });
  t.equal(client.callsInFlight, 0);
});

t.test('calls fail when the other end goes, and work again when it is back', async (t) => {
  const { path, server, client } = await serve(t, () => new Promise<Uint8Array>(() => {}));
  const lost = client.call(1, utf8(''), 9_000);
  const settled = t.rejects(lost, { code: 'BASE_LINK_BROKEN' });
  await new Promise(setImmediate);
  await server.close();
  await settled;
  await t.rejects(client.call(1, utf8(''), 9_000), { code: 'BASE_LINK_BROKEN' });
  const again = await serveLink(path, echo);
  t.equal(textOf(await client.call(4, utf8('hello'), 9_000)), '4:hello');
  await again.close();
});

t.test('past its bound of calls in flight a link is busy at once', async (t) => {
  const { client } = await serve(t, () => new Promise<Uint8Array>(() => {}));
  const calls = Array.from({ length: limits.linkCallsInFlightMax }, () =>
    client.call(1, utf8(''), 60_000).catch(() => {}),
  );
  await new Promise(setImmediate);
  for (; client.callsInFlight < limits.linkCallsInFlightMax;) await new Promise(setImmediate);
  await t.rejects(client.call(1, utf8(''), 9_000), { code: 'BASE_LINK_BUSY' });
  client.close();
  await Promise.all(calls);
});

t.test('a frame that claims too much, or is none, costs its sender the connection', async (t) => {
  const { path } = await serve(t, echo);
  const tooLong = Buffer.alloc(14);
  tooLong.writeUInt32BE(limits.frameBytesMax + 1, 0);
  const tooShort = Buffer.from([0, 0, 0, 1, 1]);
  const noCall = Buffer.from([0, 0, 0, 6, 9, 0, 0, 0, 1, 1]);
  for (const bytes of [tooLong, tooShort, noCall]) {
    const socket = connect(path);
    socket.on('error', () => {});
    socket.write(bytes);
    await once(socket, 'close');
    t.ok(socket.destroyed);
  }
});

t.test('the socket is for its owner only', async (t) => {
  const { path } = await serve(t, echo);
  t.equal(statSync(path).mode & 0o777, 0o600);
});
