import { notStrictEqual } from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { PeerClient, clientKey } from '#cli';
import { eventually } from '../support/eventually.ts';
import { TestNetwork } from '../support/test-network.ts';
import { peersAgree } from './agreement.ts';
import { answerOf, faultCode } from './answers.ts';
import type { Answer } from './answers.ts';
import { countersign } from './countersign.ts';
import { craftedRequest } from './crafted-request.ts';

const network = await TestNetwork.start();
t.teardown(() => network[Symbol.asyncDispose]());
await network.deploy('notary');
const alice = await network.client('alice');

const digestOf = (text: string) => createHash('sha256').update(text).digest('hex');
const deposit = (text: string) =>
  ['deposit', digestOf(text), `${text}.txt`, 'text/plain'] as const satisfies string[];

t.test('002-1 002-24 002-21 a client of every algorithm deposits with one signature', async (t) => {
  for (const algorithm of ['ES256', 'ES384', 'ES256K', 'EdDSA', 'RS256', 'PS256', 'SM2'] as const) {
    const kid = `client-${algorithm}`;
    const client = await network.client(kid, algorithm);
    const answer = answerOf(await client.post('notary', deposit(kid)));
    t.match(answer, { status: 200, state: 'committed', outcome: { validation: 'VALID' } });
    const transaction = await network.service.get(`/v1/transactions/${answer.transaction}`);
    const { endorsers, requests } = transaction.body as {
      endorsers: string[];
      requests: { requestId: string; jws: string }[];
    };
    t.same(endorsers.toSorted(), ['Org1MSP', 'Org2MSP', 'Org3MSP']);
    const [header = ''] = requests[0]!.jws.split('.');
    t.match(JSON.parse(Buffer.from(header, 'base64url').toString()), { alg: algorithm, kid });
  }
});

t.test('a client whose certificate comes with the request is known by it', async (t) => {
  await network.client('bob');
  const pem = readFileSync(network.network.layout.identity('bob').certificateFile, 'utf8');
  const key = clientKey(network.dir, 'bob');
  const jws = craftedRequest(key, {
    header: { x5c: [pem.replaceAll(/-----[^-]+-----|\s/g, '')] },
    payload: {
      channel: network.channel,
      contract: 'notary',
      operations: [{ function: 'deposit', args: deposit('x5c').slice(1) }],
    },
  });
  const answer = answerOf(await network.service.post(jws));
  t.equal(answer.status, 200);
  const owner = (JSON.parse(answer.payloads[0]!.text) as { owner: string }).owner;
  t.match(owner, /^Org1MSP::.*CN=bob/);
});

t.test('002-13 002-15 002-16 002-17 every peer has checked and applied the same', async (t) => {
  const answer = answerOf(await alice.post('notary', deposit('applied')));
  await peersAgree(t, network);
  const path = `/v1/state/notary/${encodeURIComponent(`deposit/${digestOf('applied')}`)}`;
  const states = await Promise.all(
    ['peer-1', 'peer-2'].map((name) => PeerClient.open(network.network.layout, name).get(path)),
  );
  t.match(states[0], { version: { block: answer.block, index: 0 } });
  t.same(states[0], states[1]);
});

t.test('002-14 a receipt is verified offline by the command, a changed one is not', async (t) => {
  const answer = answerOf(await alice.post('notary', deposit('receipt')));
  const genesis = ['--genesis', network.network.layout.genesisFile];
  const file = join(t.testdir(), 'receipt.json');
  writeFileSync(file, JSON.stringify(answer.receipt));
  const shown = await countersign('receipt', 'verify', file, ...genesis);
  t.equal(shown.status, 0, shown.stderr);
  t.match(JSON.parse(shown.stdout), { requestId: answer.requestId, outcome: 'executed' });
  const { result, leafIndex } = answer.receipt as { result: string; leafIndex: string };
  const other = result.startsWith('A') ? `B${result.slice(1)}` : `A${result.slice(1)}`;
  for (const change of [{ leafIndex: String(Number(leafIndex) + 1) }, { result: other }]) {
    writeFileSync(file, JSON.stringify({ ...answer.receipt, ...change }));
    const refused = await countersign('receipt', 'verify', file, ...genesis);
    t.equal(refused.status, 1);
    t.match(refused.stderr, /^PEER_RECEIPT_/);
  }
});

t.test('requests of one call keep their order, each with its own outcome', async (t) => {
  const [good, last] = [deposit('line 1'), deposit('line 5')];
  const broken = alice.sign('notary', deposit('line 2'));
  const cut = broken.lastIndexOf('.');
  const answers = await network.service.postMany([
    alice.sign('notary', good),
    `${broken.slice(0, cut)}.${'A'.repeat(86)}`,
    'no.jws.at-all',
    alice.sign('notary', good),
    alice.sign('nowhere', last),
    alice.sign('notary', last),
  ]);
  t.same(
    answers.map((one) => [(one as Answer).status, faultCode(one)]),
    [
      [200, 'none'],
      [401, 'ENDORSER_SIGNATURE_BAD'],
      [400, 'FORMATS_REQUEST_ENCODING_INVALID'],
      [422, 'ENDORSER_CONTRACT_FAILED'],
      [404, 'MANAGER_CONTRACT_UNKNOWN'],
      [200, 'none'],
    ],
    'a bad signature and a failure cost their own requests only',
  );
  const [first, , , failed, , sixth] = answers as Answer[];
  t.equal(first!.transaction, sixth!.transaction, 'the good ones shared a transaction');
  t.equal(failed!.transaction, sixth!.transaction, 'and so did the one that failed alone');
});

t.test(
  'a request that fails half-way leaves nothing of itself, others of its bundle stay',
  async (t) => {
    const failing = alice.sign('notary', deposit('half'), deposit('line 1'));
    const [before, half, after] = (await network.service.postMany([
      alice.sign('notary', deposit('before')),
      failing,
      alice.sign('notary', deposit('half')),
    ])) as [Answer, Answer, Answer];
    t.match(half, { status: 422, state: 'committed', outcome: { status: 422 } });
    t.equal(before.status, 200);
    t.equal(after.status, 200, 'what the failed one had written first was free again');
    t.equal(before.transaction, after.transaction);
  },
);

t.test('one signature covers many operations, executed together', async (t) => {
  const texts = Array.from({ length: 200 }, (_none, index) => `together ${index}`);
  const answer = answerOf(await alice.post('notary', ...texts.map(deposit)));
  t.equal(answer.status, 200);
  t.same(
    answer.payloads.map(({ text }) => (JSON.parse(text) as { digest: string }).digest),
    texts.map(digestOf),
  );
});

t.test('a client that does not wait finds the outcome by the id', async (t) => {
  const posted = await network.service.post(alice.sign('notary', deposit('later')), '?wait=none');
  t.match(posted, { status: 202, body: { state: 'pending' } });
  const { requestId } = posted.body as Answer;
  const found = await eventually(async () => {
    const now = await network.service.get(`/v1/requests/${requestId}`);
    notStrictEqual((now.body as Answer).state, 'pending');
    return now;
  });
  t.match(found.body, { requestId, status: 200, state: 'committed' });
  const receipt = await network.service.get(`/v1/requests/${requestId}/receipt`);
  t.same(receipt.body, (found.body as Answer).receipt);
});

t.test('002-13 in the end every peer agrees with the manager about every block', async (t) => {
  await peersAgree(t, network);
});
