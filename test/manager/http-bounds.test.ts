import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { pino } from 'pino';
import t from 'tap';
import type { Test } from 'tap';
import { Fault, limits } from '#base';
import { parseRequest } from '#formats';
import { makeChannel, makeMember } from './channel.ts';
import { signedRequest } from './signed-request.ts';
import { openTestLedger } from './test-ledger.ts';
import { edgeOf } from './zone-edge.ts';
import type { EdgeOptions } from './zone-edge.ts';

const channel = await makeChannel();
const clerk = await makeMember(channel.authorities.Org1MSP, 'Org1MSP');
const byKid = { alg: 'ES256', kid: 'clerk-1' } as const;
const { ledger } = await openTestLedger(t, channel);
const edge = (t: Test, changes: Partial<EdgeOptions> = {}) =>
  edgeOf(t, { channel, clerk, ledger, ...changes });

/** Waits for what happens soon, and fails the test when it does not. */
async function soon(condition: () => boolean): Promise<void> {
  for (let round = 0; round < 500 && !condition(); round += 1) await delay(10);
  if (!condition()) throw new Error('it did not happen within 5 s');
}

/** What a client that writes raw bytes is answered until its connection closes. */
async function exchange(t: Test, port: number, head: string, body: Uint8Array): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  t.teardown(() => socket.destroy());
  let answer = '';
  socket.on('data', (chunk: Buffer) => {
    answer += chunk.toString();
  });
  socket.on('error', () => {});
  socket.write(head.replaceAll('\n', '\r\n'));
  socket.write(body);
  await soon(() => answer !== '');
  return answer;
}

t.test(
  'a chunked body too large is refused while it is read, and the connection closed',
  async (t) => {
    const { http } = edge(t);
    const port = await http.listen();
    const head =
      'POST /v1/requests HTTP/1.1\nhost: x\ncontent-type: application/jose\ntransfer-encoding: chunked\n\n';
    const bytes = limits.requestBytes + 1;
    const body = Buffer.concat([
      Buffer.from(`${bytes.toString(16)}\r\n`),
      Buffer.alloc(bytes, 'x'),
    ]);
    const answer = await exchange(t, port, head, body);
    t.match(answer, /^HTTP\/1.1 400 /);
    t.match(answer, 'MANAGER_CALL_TOO_LARGE');
    t.match(answer, /connection: close/i);
  },
);

t.test('headers too large are refused', async (t) => {
  const { http } = edge(t);
  const port = await http.listen();
  const head = `GET /v1/health HTTP/1.1\nhost: x\ncookie: ${'x'.repeat(limits.httpHeaderBytesMax)}\n\n`;
  t.match(await exchange(t, port, head, Buffer.alloc(0)), /^HTTP\/1.1 4\d\d /);
});

t.test('a call that is never sent whole has an end, and connections have a bound', async (t) => {
  const { server } = edge(t).http.app;
  t.equal(server.requestTimeout, limits.callReceiveMsMax);
  t.equal(server.headersTimeout, limits.callReceiveMsMax);
  t.equal(server.timeout, limits.httpSilenceMsMax);
  t.equal(server.keepAliveTimeout, limits.httpKeepAliveMsMax);
  t.equal(server.maxConnections, limits.httpConnectionsMax);
});

t.test('a client that vanishes changes nothing for its request, and frees its bytes', async (t) => {
  const { http, pipeline } = edge(t, { bounds: { callBytesInFlightMax: 2_000 } });
  const port = await http.listen();
  const operations = [{ function: 'deposit', args: ['x'.repeat(1_000)] }];
  const post = (bytes: Uint8Array, signal?: AbortSignal) =>
    fetch(`http://127.0.0.1:${port}/v1/requests`, {
      method: 'POST',
      headers: { 'content-type': 'application/jose' },
      body: Buffer.from(bytes),
      ...(signal && { signal }),
    });
  const gone = new AbortController();
  const left = signedRequest(clerk, byKid, { operations });
  const leaving = post(left, gone.signal);
  leaving.catch(() => {});
  await soon(() => pipeline.submitted.length === 1);
  t.equal((await post(signedRequest(clerk, byKid, { operations }))).status, 503);
  gone.abort();
  await t.rejects(leaving);
  const { requestId } = parseRequest(left);
  t.ok(pipeline.isPending(requestId), 'it is still under way');
  const reason = new Fault('TEST_DENIED', 'denied', 'No.', {});
  pipeline.onSubmit = ({ request }) => pipeline.refuse(request.requestId, reason);
  let status = 503;
  for (let round = 0; round < 100 && status === 503; round += 1) {
    status = (await post(signedRequest(clerk, byKid, { operations }))).status;
  }
  t.equal(status, 403);
  pipeline.refuse(requestId, reason);
  const looked = await fetch(`http://127.0.0.1:${port}/v1/requests/${requestId}`);
  t.match(await looked.json(), { state: 'refused' }, 'and its outcome is kept for whoever asks');
});

t.test('closing the service ends its connections', async (t) => {
  const { http } = edge(t);
  const port = await http.listen();
  t.equal((await fetch(`http://127.0.0.1:${port}/v1/health`)).status, 200);
  await http.close();
  await t.rejects(fetch(`http://127.0.0.1:${port}/v1/health`));
});

t.test('nothing of what a request says is logged, at any level', async (t) => {
  let logged = '';
  const log = pino({ level: 'trace' }, { write: (line: string) => void (logged += line) });
  const { http, pipeline } = edge(t, { log });
  const broken = new Fault('TEST_BROKEN', 'broken', 'It broke.', {});
  pipeline.onSubmit = ({ request }) => pipeline.refuse(request.requestId, broken);
  const canary = 'canary-4711';
  const operations = [
    [{ function: 'deposit', args: [canary] }],
    [{ function: 'revoke', args: [canary] }],
  ];
  for (const wanted of operations) {
    const payload = Buffer.from(signedRequest(clerk, byKid, { operations: wanted }));
    for (const type of ['application/jose', 'application/x-ndjson', 'text/plain']) {
      const call = {
        method: 'POST',
        url: '/v1/requests',
        headers: { 'content-type': type },
      } as const;
      await http.app.inject({ ...call, payload });
    }
  }
  t.match(logged, 'MANAGER_GRANT_MISSING', 'refusals are logged');
  t.match(logged, 'TEST_BROKEN', 'and what broke');
  t.notMatch(logged, canary);
  t.notMatch(logged, Buffer.from(canary).toString('base64url').slice(0, 12));
});
