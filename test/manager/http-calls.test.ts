import { request as httpsRequest } from 'node:https';
import t from 'tap';
import type { Test } from 'tap';
import { Fault, toHex } from '#base';
import { sha256 } from '#crypto';
import { parseRequest } from '#formats';
import { makeChannel, makeMember, makeTlsPair } from './channel.ts';
import { payloadWith, requestWith, signedRequest } from './signed-request.ts';
import { openTestLedger } from './test-ledger.ts';
import { edgeOf } from './zone-edge.ts';
import type { EdgeOptions } from './zone-edge.ts';

const channel = await makeChannel();
const clerk = await makeMember(channel.authorities.Org1MSP, 'Org1MSP');
const byKid = { alg: 'ES256', kid: 'clerk-1' } as const;
const jose = { 'content-type': 'application/jose' };
const ndjson = { 'content-type': 'application/x-ndjson' };
const url = '/v1/requests';

const { ledger } = await openTestLedger(t, channel);
const edge = (t: Test, changes: Partial<EdgeOptions> = {}) =>
  edgeOf(t, { channel, clerk, ledger, ...changes });
const signed = (changes = {}) => signedRequest(clerk, byKid, changes);
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();
const idOf = (bytes: Uint8Array) => parseRequest(bytes).requestId;
const denied = () => new Fault('TEST_DENIED', 'denied', 'No.', { reason: 'test', height: 7n });

t.test(
  'a request that the zone refuses is answered as a problem, by the kind of fault',
  async (t) => {
    const { http, pipeline } = edge(t);
    pipeline.onSubmit = ({ request }) => pipeline.refuse(request.requestId, denied());
    const bytes = signed();
    const answer = await http.app.inject({
      method: 'POST',
      url,
      headers: jose,
      payload: text(bytes),
    });
    t.equal(answer.statusCode, 403);
    t.equal(answer.headers['content-type'], 'application/problem+json');
    t.match(answer.json(), {
      type: 'urn:countersign:fault:TEST_DENIED',
      title: 'No.',
      status: 403,
      code: 'TEST_DENIED',
      detail: 'reason: test; height: 7',
      facts: { reason: 'test', height: 7 },
      instance: /^urn:countersign:call:/,
      requestId: idOf(bytes),
    });
  },
);

t.test('002-2 a client that is not on the whitelist never reaches the pipeline', async (t) => {
  const { http, pipeline } = edge(t);
  const payload = text(requestWith({ alg: 'ES256', kid: 'nobody' }));
  const answer = await http.app.inject({ method: 'POST', url, headers: jose, payload });
  t.equal(answer.statusCode, 401);
  t.match(answer.json(), { code: 'MANAGER_CLIENT_UNKNOWN', facts: { kid: 'nobody' } });
  t.equal(pipeline.submitted.length, 0);
});

t.test('002-3 a call that no grant covers never reaches the pipeline', async (t) => {
  const { http, pipeline } = edge(t);
  const payload = text(signed({ operations: [{ function: 'revoke', args: [] }] }));
  const answer = await http.app.inject({ method: 'POST', url, headers: jose, payload });
  t.equal(answer.statusCode, 403);
  t.match(answer.json(), { code: 'MANAGER_GRANT_MISSING' });
  t.equal(pipeline.submitted.length, 0);
});

t.test('what breaks inside is told by its code alone', async (t) => {
  const { http, pipeline } = edge(t);
  const broken = new Fault('TEST_BROKEN', 'broken', 'A secret sentence.', { path: '/a/path' });
  pipeline.onSubmit = ({ request }) => pipeline.refuse(request.requestId, broken);
  const answer = await http.app.inject({
    method: 'POST',
    url,
    headers: jose,
    payload: text(signed()),
  });
  t.equal(answer.statusCode, 500);
  t.strictSame(Object.keys(answer.json()).toSorted(), [
    'code',
    'instance',
    'requestId',
    'status',
    'title',
    'type',
  ]);
  t.notMatch(answer.body, /secret|path/);
  pipeline.onSubmit = () => {
    throw new TypeError('a programmer’s mistake');
  };
  const failed = await http.app.inject({
    method: 'POST',
    url,
    headers: jose,
    payload: text(signed()),
  });
  t.equal(failed.statusCode, 500);
  t.match(failed.json(), { code: 'MANAGER_CALL_FAILED' });
  t.notMatch(failed.body, 'mistake');
});

t.test(
  'a full queue is busy at once, with and without waiting, and says when to come again',
  async (t) => {
    const { http, pipeline } = edge(t);
    pipeline.depthMax = 0;
    for (const query of ['', '?wait=none']) {
      const call = {
        method: 'POST',
        url: url + query,
        headers: jose,
        payload: text(signed()),
      } as const;
      const answer = await http.app.inject(call);
      t.equal(answer.statusCode, 503);
      t.equal(answer.headers['retry-after'], '1');
      t.match(answer.json(), { code: 'MANAGER_QUEUE_FULL', requestId: /^[0-9a-f]{64}$/ });
    }
  },
);

t.test('many requests are answered line by line, in their order', async (t) => {
  const { http, pipeline } = edge(t);
  const lines = [
    signed(),
    Buffer.from('no request'),
    signed(),
    requestWith({ alg: 'ES256', kid: 'x' }),
  ];
  pipeline.onSubmit = () => {
    if (pipeline.submitted.length < 2) return;
    for (const { request } of pipeline.submitted.toReversed()) {
      pipeline.refuse(request.requestId, denied());
    }
  };
  const payload = `${lines.map(text).join('\n')}\n`;
  const answer = await http.app.inject({ method: 'POST', url, headers: ndjson, payload });
  t.equal(answer.statusCode, 200);
  t.equal(answer.headers['content-type'], 'application/x-ndjson');
  const answers = answer.body
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as object);
  t.match(answers, [
    { requestId: idOf(lines[0]!), status: 403, state: 'refused', problem: { code: 'TEST_DENIED' } },
    { status: 400, state: 'refused', problem: { code: 'FORMATS_REQUEST_NOT_COMPACT' } },
    { requestId: idOf(lines[2]!), status: 403, state: 'refused', problem: { code: 'TEST_DENIED' } },
    { status: 401, state: 'refused', problem: { code: 'MANAGER_CLIENT_UNKNOWN' } },
  ]);
  t.notOk('requestId' in answers[1]!, 'what could not be read has no id');
});

t.test('who does not wait gets an id, and later the outcome by it', async (t) => {
  const { http, pipeline } = edge(t);
  const bytes = signed();
  const requestId = idOf(bytes);
  const posted = await http.app.inject({
    method: 'POST',
    url: `${url}?wait=none`,
    headers: jose,
    payload: text(bytes),
  });
  t.equal(posted.statusCode, 202);
  t.equal(posted.headers.location, `${url}/${requestId}`);
  t.strictSame(posted.json(), { requestId, status: 202, state: 'pending' });
  const look = () => http.app.inject({ method: 'GET', url: `${url}/${requestId}` });
  t.strictSame((await look()).json(), { requestId, status: 202, state: 'pending' });
  pipeline.refuse(requestId, denied());
  const refused = await look();
  t.equal(refused.statusCode, 200);
  t.match(refused.json(), {
    requestId,
    status: 403,
    state: 'refused',
    problem: { code: 'TEST_DENIED' },
  });
  const unknown = await http.app.inject({ method: 'GET', url: `${url}/${toHex(sha256(bytes))}` });
  t.equal(unknown.statusCode, 404);
  t.match(unknown.json(), { code: 'MANAGER_REQUEST_ABSENT' });
});

t.test('who has waited long enough is told to ask again', async (t) => {
  const { http } = edge(t, { bounds: { answerWaitMsMax: 20 } });
  const answer = await http.app.inject({
    method: 'POST',
    url,
    headers: jose,
    payload: text(signed()),
  });
  t.equal(answer.statusCode, 202);
  t.match(answer.json(), { state: 'pending' });
});

t.test(
  'a request posted again while it is under way joins itself, unless its signature differs',
  async (t) => {
    for (const argument of ['short', 'x'.repeat(5_000)]) await joinsItself(t, argument);
  },
);

async function joinsItself(t: Test, argument: string): Promise<void> {
  const { http, pipeline } = edge(t);
  const payload = payloadWith({ operations: [{ function: 'deposit', args: [argument] }] });
  const first = signedRequest(clerk, byKid, payload);
  const post = (bytes: Uint8Array) =>
    http.app.inject({ method: 'POST', url, headers: jose, payload: text(bytes) });
  const answers = [post(first), post(first)];
  while (pipeline.submitted.length === 0) await new Promise(setImmediate);
  const other = await post(requestWith(byKid, payload));
  t.equal(other.statusCode, 409);
  t.match(other.json(), { code: 'MANAGER_REQUEST_PENDING', requestId: idOf(first) });
  pipeline.refuse(idOf(first), denied());
  for (const answer of await Promise.all(answers)) t.equal(answer.statusCode, 403);
  t.equal(pipeline.submitted.length, 1);
}

t.test(
  'bodies in memory have a bound together, and it is free again after the answers',
  async (t) => {
    const { http, pipeline } = edge(t, { bounds: { callBytesInFlightMax: 2_000 } });
    const post = (bytes: Uint8Array) =>
      http.app.inject({ method: 'POST', url, headers: jose, payload: text(bytes) });
    const held = signed({ operations: [{ function: 'deposit', args: ['x'.repeat(1_000)] }] });
    const waiting = post(held);
    while (pipeline.submitted.length === 0) await new Promise(setImmediate);
    const full = await post(signed());
    t.equal(full.statusCode, 503);
    t.match(full.json(), { code: 'MANAGER_CALLS_FULL' });
    pipeline.refuse(idOf(held), denied());
    await waiting;
    pipeline.onSubmit = ({ request }) => pipeline.refuse(request.requestId, denied());
    t.equal((await post(signed())).statusCode, 403);
  },
);

t.test('over TLS the service answers a client that trusts its certificate', async (t) => {
  const tls = await makeTlsPair();
  const { http, pipeline } = edge(t, { listen: { host: '127.0.0.1', port: 0, tls } });
  pipeline.onSubmit = ({ request }) => pipeline.refuse(request.requestId, denied());
  const port = await http.listen();
  const call = (ca?: string, maxVersion?: 'TLSv1.1') =>
    new Promise<number | undefined>((resolve, reject) => {
      const options = {
        host: 'localhost',
        port,
        path: url,
        method: 'POST',
        headers: jose,
        ca,
        agent: false,
      };
      const outgoing = httpsRequest(
        {
          ...options,
          ...(maxVersion && { minVersion: 'TLSv1', maxVersion, ciphers: 'DEFAULT@SECLEVEL=0' }),
        },
        (incoming) => {
          incoming.resume();
          resolve(incoming.statusCode);
        },
      );
      outgoing.on('error', reject);
      outgoing.end(Buffer.from(signed()));
    });
  t.equal(await call(tls.root), 403);
  await t.rejects(call(), 'a client that does not trust it goes away');
  await t.rejects(call(tls.root, 'TLSv1.1'), 'and old TLS is not spoken');
});

t.test('without TLS the service is for its own host only', async (t) => {
  for (const host of ['0.0.0.0', '::', '192.0.2.1', 'example.org', '127.0.0.1.example.org']) {
    t.throws(
      () => edge(t, { listen: { host, port: 0 } }),
      { code: 'MANAGER_LISTEN_INSECURE' },
      host,
    );
  }
  const { http } = edge(t, { listen: { host: '127.0.0.1', port: 0 } });
  const port = await http.listen();
  const answer = await fetch(`http://127.0.0.1:${port}/v1/health`);
  t.match(await answer.json(), { status: 'ok', channel: 'deeds', height: 2 });
  const { http: second } = edge(t, { listen: { host: '127.0.0.1', port } });
  await t.rejects(second.listen(), {
    code: 'MANAGER_LISTEN_REFUSED',
    detail: { port, reason: /EADDRINUSE/ },
  });
});
