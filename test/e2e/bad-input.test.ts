import { notStrictEqual } from 'node:assert/strict';
import { createHmac, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import t from 'tap';
import { limits, systemClock } from '#base';
import { isLowSRaw } from '#crypto';
import { clientKey, contractCode, newClient, revokeClient } from '#cli';
import { compiledContract } from '../support/compiled-contract.ts';
import { eventually } from '../support/eventually.ts';
import { TestNetwork } from '../support/test-network.ts';
import { answerOf, faultCode } from './answers.ts';
import type { Answer } from './answers.ts';
import { craftedRequest } from './crafted-request.ts';
import type { Craft } from './crafted-request.ts';

const network = await TestNetwork.start({ peerCount: 0 });
t.teardown(() => network[Symbol.asyncDispose]());
const { channel, service } = network;
await network.deploy('samples', { code: await compiledContract('samples') });
const alice = await network.client('alice');
const rsa = await network.client('rsa', 'RS256');
const key = clientKey(network.dir, 'alice');
const kid = 'alice';
const operations = [{ function: 'increment', args: ['counter'] }];
const nowSeconds = Math.floor(systemClock.nowMs() / 1000);

/** A good request of Alice's but for what the craft says. */
function request(craft: Craft = {}): string {
  return craftedRequest(key, {
    ...craft,
    header: { kid, ...craft.header },
    payload: { channel, contract: 'samples', operations, ...craft.payload },
  });
}

async function refusal(jws: string): Promise<[status: number, code: string]> {
  const { status, body } = await service.post(jws);
  return [status, faultCode(body)];
}

async function height(): Promise<number> {
  return ((await service.get('/v1/health')).body as { height: number }).height;
}

const without = (text: string, index: number) => text.slice(0, index) + text.slice(index + 1);
const part = (jws: string, index: number) => jws.split('.')[index] ?? '';
const header = { kid };

t.test(
  'what is no signed request is refused with its own code, and no block is made',
  async (t) => {
    const good = request();
    const before = await height();
    const cases: readonly [what: string, jws: string, code: string][] = [
      ['two parts', `${part(good, 0)}.${part(good, 1)}`, 'FORMATS_REQUEST_NOT_COMPACT'],
      ['a lost character', without(good, 5), 'FORMATS_REQUEST_ENCODING_INVALID'],
      ['no signature', `${part(good, 0)}.${part(good, 1)}.`, 'FORMATS_REQUEST_SIGNATURE_EMPTY'],
      [
        'alg none',
        request({ header: { ...header, alg: 'none' } }),
        'FORMATS_REQUEST_ALGORITHM_NONE',
      ],
      ['alg HS256', hmacRequest(), 'FORMATS_REQUEST_ALGORITHM_UNKNOWN'],
      ['another typ', request({ header: { ...header, typ: 'JWT' } }), 'FORMATS_REQUEST_TYPE_WRONG'],
      ['crit', request({ header: { ...header, crit: [] } }), 'FORMATS_REQUEST_MEMBER_UNKNOWN'],
      ['a member more', request({ payload: { amount: 1 } }), 'FORMATS_REQUEST_MEMBER_UNKNOWN'],
      [
        'no contract',
        request({ payload: { contract: undefined } }),
        'FORMATS_REQUEST_MEMBER_MISSING',
      ],
      ['a short nonce', request({ payload: { nonce: 'AAAA' } }), 'FORMATS_REQUEST_NONCE_LENGTH'],
      ['too many operations', tooManyOperations(), 'FORMATS_REQUEST_OPERATIONS_TOO_MANY'],
      [
        'a life too long',
        request({
          payload: { iat: nowSeconds, exp: nowSeconds + limits.requestLifetimeSecondsMax + 1 },
        }),
        'FORMATS_REQUEST_LIFETIME_TOO_LONG',
      ],
      ['too large', 'A'.repeat(limits.requestBytes + 1), 'MANAGER_CALL_TOO_LARGE'],
    ];
    for (const [what, jws, code] of cases) t.same(await refusal(jws), [400, code], what);
    t.equal(await height(), before);
  },
);

t.test('who may not ask is refused with the reason', async (t) => {
  const before = await height();
  const strange = { channel, contract: 'samples', functions: ['get'] };
  await newClient(network.dir, {
    kid: 'reader',
    orgName: 'org1',
    algorithm: 'EdDSA',
    nodeOu: 'client',
    grants: [strange],
  });
  const reader = craftedRequest(clientKey(network.dir, 'reader'), {
    header: { kid: 'reader' },
    payload: { channel, contract: 'samples', operations },
  });
  const hour = 3_600;
  const past = { iat: nowSeconds - hour, exp: nowSeconds - 1 };
  const future = { iat: nowSeconds + hour, exp: nowSeconds + 2 * hour };
  const cases: readonly [what: string, jws: string, status: number, code: string][] = [
    ['unknown kid', request({ header: { kid: 'mallory' } }), 401, 'MANAGER_CLIENT_UNKNOWN'],
    ['a certificate not on the list', carriedCertificate(), 401, 'MANAGER_CLIENT_UNKNOWN'],
    ['RSA key, ES256', request({ header: { kid: 'rsa' } }), 401, 'MANAGER_ALGORITHM_MISMATCH'],
    ['another channel', request({ payload: { channel: 'x' } }), 404, 'MANAGER_CHANNEL_UNKNOWN'],
    ['unknown contract', request({ payload: { contract: 'x' } }), 404, 'MANAGER_CONTRACT_UNKNOWN'],
    ['a function not granted', reader, 403, 'MANAGER_GRANT_MISSING'],
    ['expired', request({ payload: past }), 401, 'MANAGER_REQUEST_EXPIRED'],
    ['from the future', request({ payload: future }), 401, 'MANAGER_REQUEST_EARLY'],
    ['a bad signature', request({ sign: () => randomBytes(64) }), 401, 'ENDORSER_SIGNATURE_BAD'],
    ['another’s signature', signedByAnother(), 401, 'ENDORSER_SIGNATURE_BAD'],
  ];
  for (const [what, jws, status, code] of cases) t.same(await refusal(jws), [status, code], what);
  t.equal(await height(), before, 'no block was made');
});

t.test('a revoked client is out as soon as the list is read again', async (t) => {
  const gone = await network.client('gone');
  t.equal((await gone.post('samples', ['increment', 'gone'])).status, 200);
  revokeClient(network.dir, 'gone');
  const refused = await eventually(async () => {
    const answer = await gone.post('samples', ['increment', 'gone']);
    notStrictEqual(answer.status, 200);
    return answer;
  });
  t.equal(faultCode(refused.body), 'MANAGER_CLIENT_REVOKED');
});

t.test('whatever a contract does wrong, its request fails alone', async (t) => {
  const cases: readonly [operation: [string, ...string[]], status: number, code: string][] = [
    [['outOfBounds', '9'], 422, 'ENDORSER_CONTRACT_FAILED'],
    [['throws', 'no'], 422, 'ENDORSER_CONTRACT_FAILED'],
    [['hog'], 500, 'ENDORSER_CONTRACT_TRAPPED'],
    [['endless'], 508, 'ENDORSER_GAS_EXHAUSTED'],
    [['recurse', '1000000'], 508, 'ENDORSER_DEPTH_EXHAUSTED'],
    [['openRanges', '17'], 500, 'ENDORSER_CONTRACT_TRAPPED'],
    [['missing'], 422, 'ENDORSER_CONTRACT_FAILED'],
    [['get', 'missing'], 422, 'ENDORSER_CONTRACT_FAILED'],
  ];
  const count = async () => {
    const { payloads } = answerOf(await alice.post('samples', ['increment', 'neighbour']));
    return Number(payloads[0]!.text);
  };
  const before = await count();
  const good = () => alice.sign('samples', ['increment', 'neighbour']);
  const lines = cases.flatMap(([operation]) => [
    good(),
    alice.sign('samples', ['increment', 'neighbour'], operation),
  ]);
  const answers = (await service.postMany(lines)) as Answer[];
  for (const [index, [operation, status, code]] of cases.entries()) {
    const [neighbour, bad] = answers.slice(index * 2);
    t.equal(neighbour!.status, 200);
    t.equal(bad!.status, 422);
    t.match(bad!.outcome, { status, code }, operation[0]);
  }
  t.equal(new Set(answers.map(({ transaction }) => transaction)).size, 1, 'in one bundle');
  t.equal(await count(), before + cases.length + 1, 'each good one counted, no bad one');
});

t.test('a request with too much to write fails alone, a full bundle spills over', async (t) => {
  const million = String(limits.stateValueBytesMax);
  const put = (name: string): [string, ...string[]] => ['putOf', name, million];
  const answers = (await service.postMany([
    ...['a', 'b', 'c'].map((name) => alice.sign('samples', put(name))),
    alice.sign('samples', put('d'), put('e'), put('f')),
    ...['g', 'h', 'i'].map((name) => alice.sign('samples', put(name))),
  ])) as Answer[];
  t.same(
    answers.map((one) => [one.status, faultCode(one)]),
    Array.from({ length: 7 }, (_none, index) =>
      index === 3 ? [422, 'ENDORSER_OUTPUT_TOO_LARGE'] : [200, 'none'],
    ),
  );
  t.ok(new Set(answers.map(({ transaction }) => transaction)).size > 1, 'in several bundles');
});

t.test('a definition that peers would stop at fails alone', async (t) => {
  const code = await contractCode('notary');
  const empty = await network.deploy('empty', { policy: 'reference:', code });
  t.match(empty, { status: 400, body: { code: 'ENDORSER_DEFINITION_INVALID' } });
});

t.test('a policy that nobody here can satisfy makes its contract’s requests wait', async (t) => {
  const policy = "AND('Org1MSP.peer', 'Org9MSP.peer')";
  const code = await contractCode('notary');
  t.equal((await network.deploy('stranger', { policy, code })).status, 200);
  const before = await height();
  t.same(await refusal(alice.sign('stranger', ['get', 'ab'])), [
    503,
    'MANAGER_ENDORSERS_UNREACHABLE',
  ]);
  t.equal(await height(), before);
});

t.test('002-8 a request is executed once, also after the manager’s restart', async (t) => {
  // Of a kind of signature that the configuration to come has nothing against.
  const kept = rsa.sign('samples', ['increment', 'kept']);
  t.equal((await service.post(kept)).status, 200);
  const jws = request();
  const first = answerOf(await service.post(jws));
  t.equal(first.status, 200);
  t.same(await refusal(jws), [409, 'MANAGER_REQUEST_REPLAYED']);
  const [twice] = (await service.postMany([jws])) as [Answer];
  t.equal(faultCode(twice), 'MANAGER_REQUEST_REPLAYED');
  const again = `${part(jws, 0)}.${part(jws, 1)}.${part(request(), 2)}`;
  t.same(await refusal(again), [409, 'MANAGER_REQUEST_REPLAYED'], 'under another signature');
  const [one, other] = (await service.postMany([request(), jws])) as [Answer, Answer];
  t.same([one.status, faultCode(other)], [200, 'MANAGER_REQUEST_REPLAYED']);
  network.configure('manager', (config) => (config['highSAllowed'] = false));
  await network.restart('manager');
  t.same(await refusal(kept), [409, 'MANAGER_REQUEST_REPLAYED'], 'after a restart');
});

t.test('a high s is refused where the configuration forbids it', async (t) => {
  const signatures = new Map<boolean, string>();
  while (signatures.size < 2) {
    const jws = request();
    signatures.set(isLowSRaw('ES256', Buffer.from(part(jws, 2), 'base64url')), jws);
  }
  t.same(await refusal(signatures.get(false) ?? ''), [400, 'MANAGER_SIGNATURE_HIGH']);
  t.equal((await service.post(signatures.get(true) ?? '')).status, 200);
});

/** The oldest confusion: the public key, which anyone has, as the secret of an HMAC. */
function hmacRequest(): string {
  const pem = readFileSync(network.network.layout.identity(kid).certificateFile);
  return request({
    header: { ...header, alg: 'HS256' },
    sign: (input) => createHmac('sha256', pem).update(input).digest(),
  });
}

function signedByAnother(): string {
  return request({ header: { kid: 'rsa', alg: 'PS256' }, sign: () => randomBytes(384) });
}

function tooManyOperations(): string {
  const count = limits.operationsPerRequest + 1;
  return request({ payload: { operations: Array.from({ length: count }, () => operations[0]) } });
}

/** A certificate of an organisation of the channel that nobody put on the whitelist. */
function carriedCertificate(): string {
  const { certificateFile } = network.network.layout.identity('transport@org1');
  const der = readFileSync(certificateFile, 'utf8').replaceAll(/-----[^-]+-----|\s/g, '');
  return request({ header: { kid: undefined, x5c: [der] } });
}
