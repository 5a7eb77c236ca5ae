import t from 'tap';
import { limits, toHex } from '#base';
import { Block, Metadata, headerHash, parseRequest } from '#formats';
import { buildPeer } from '#peer';
import { testNetwork } from '../policy/test-channel.ts';
import { LogLines } from '../support/log-lines.ts';
import { TestChain } from '../support/test-chain.ts';
import { bundleTransaction, definitionOf, requestOf } from '../support/test-transactions.ts';
import { runPeer, scene, tls } from './running-peer.ts';

const network = await testNetwork(2);
const chain = new TestChain(network);
const oddKey = '\0type\0a/b ü?';
chain.append(definitionOf(network, 'notary'));
const requests = [
  requestOf(network, { key: 'deed', value: 'kept' }),
  requestOf(network, { key: oddKey, value: 'odd' }),
];
const bundle = bundleTransaction(network, requests, {
  rwset: {
    writes: [
      { key: 'deed', isDelete: false, value: Buffer.from('kept') },
      { key: oddKey, isDelete: false, value: Uint8Array.of(0xff, 0xfe) },
    ],
  },
});
chain.append(bundle);

const stage = await scene(t, chain);
const { committed, ask, lines, peer } = await runPeer(t, stage);
await committed(2);

t.test('health tells height, channel, hashes and whether blocks can come', async (t) => {
  const { status, body } = await ask('/v1/health');
  t.equal(status, 200);
  t.match(body, {
    height: 3,
    channel: 'trade',
    lastBlockHash: toHex(headerHash(chain.newest.header!)),
    commitHash: /^[0-9a-f]{64}$/,
    connected: true,
  });
  const { body: block } = await ask('/v1/blocks/2');
  t.equal(body['commitHash'], block['commitHash']);
});

t.test('a block is shown with the codes and the commit hash that this peer made', async (t) => {
  const { status, body } = await ask('/v1/blocks/2');
  t.equal(status, 200);
  t.match(body, {
    number: 2,
    headerHash: toHex(headerHash(chain.newest.header!)),
    previousHash: toHex(chain.newest.header!.previousHash),
    commitHash: /^[0-9a-f]{64}$/,
    signers: ['ZoneMSP'],
    evidence: { treeSize: 2 },
    transactions: [
      {
        txId: bundle.txId,
        type: 'endorserTransaction',
        contract: 'notary',
        requests: requests.map((jws) => parseRequest(jws).requestId),
        validationCode: { code: 0, name: 'VALID' },
      },
    ],
  });
});

t.test('the genesis block is shown, which has neither signer nor evidence', async (t) => {
  const { body } = await ask('/v1/blocks/0');
  t.match(body, { number: 0, commitHash: '', signers: [], transactions: [{ type: 'config' }] });
  t.notOk('evidence' in body);
});

t.test('a block is given as protobuf with its codes and commit hash in the metadata', async (t) => {
  const answer = await fetch(`http://127.0.0.1:${peer.port}/v1/blocks/2?format=protobuf`);
  t.equal(answer.headers.get('content-type'), 'application/x-protobuf');
  const block = Block.decode(new Uint8Array(await answer.arrayBuffer()));
  t.same(block.header, chain.newest.header);
  t.same(block.data, chain.newest.data);
  t.same(block.metadata!.metadata[2], Uint8Array.of(0));
  const { body } = await ask('/v1/blocks/2');
  t.equal(toHex(Metadata.decode(block.metadata!.metadata[4]!).value), body['commitHash']);
});

t.test('a transaction is found by its id', async (t) => {
  const { status, body } = await ask(`/v1/transactions/${bundle.txId}`);
  t.equal(status, 200);
  const validationCode = { code: 0, name: 'VALID' };
  t.same(body, { txId: bundle.txId, validationCode, block: 2, index: 0 });
});

t.test('a request is found by its id, with its place in the bundle', async (t) => {
  const { requestId } = parseRequest(requests[1]!);
  const { status, body } = await ask(`/v1/requests/${requestId}`);
  t.equal(status, 200);
  const validationCode = { code: 0, name: 'VALID' };
  t.same(body, { requestId, txId: bundle.txId, block: 2, index: 1, validationCode });
});

t.test('a value of the state has its version, and its text where it is text', async (t) => {
  t.same((await ask('/v1/state/notary/deed')).body, {
    namespace: 'notary',
    key: 'deed',
    value: { base64: 'a2VwdA==', text: 'kept' },
    version: { block: 2, index: 0 },
  });
  const { body } = await ask(`/v1/state/notary/${encodeURIComponent(oddKey)}`);
  t.match(body, { key: oddKey, value: { base64: '//4=' } });
  t.notOk('text' in (body['value'] as object));
});

const hash = '0'.repeat(64);
const refusals: Record<string, [status: number, code: string]> = {
  '/v1/blocks/3': [404, 'PEER_BLOCK_ABSENT'],
  '/v1/blocks/9999999999999999999': [404, 'PEER_BLOCK_ABSENT'],
  '/v1/blocks/01': [400, 'PEER_CALL_INVALID'],
  '/v1/blocks/-1': [400, 'PEER_CALL_INVALID'],
  '/v1/blocks/2?format=xml': [400, 'PEER_CALL_INVALID'],
  '/v1/blocks/2?form=json': [400, 'PEER_CALL_INVALID'],
  [`/v1/transactions/${hash}`]: [404, 'PEER_TRANSACTION_ABSENT'],
  '/v1/transactions/abc': [400, 'PEER_CALL_INVALID'],
  [`/v1/requests/${hash}`]: [404, 'PEER_REQUEST_ABSENT'],
  '/v1/requests/ABC': [400, 'PEER_CALL_INVALID'],
  '/v1/state/notary/nothing': [404, 'PEER_STATE_ABSENT'],
  '/v1/state/nobody/deed': [404, 'PEER_STATE_ABSENT'],
  '/v1/state/notary/': [404, 'PEER_STATE_ABSENT'],
  [`/v1/state/notary/${'k'.repeat(limits.stateKeyBytesMax)}`]: [404, 'PEER_STATE_ABSENT'],
  [`/v1/state/notary/${'k'.repeat(4 * limits.stateKeyBytesMax)}`]: [400, 'PEER_CALL_INVALID'],
  '/v1/state/notary/%E0%A4%A': [400, 'PEER_CALL_INVALID'],
  [`/v1/receipts/${hash}`]: [404, 'PEER_ROUTE_UNKNOWN'],
  '/': [404, 'PEER_ROUTE_UNKNOWN'],
};
for (const [path, [status, code]] of Object.entries(refusals)) {
  t.test(`GET ${path.slice(0, 60)} is refused as ${code}`, async (t) => {
    const answer = await fetch(`http://127.0.0.1:${peer.port}${path}`);
    t.equal(answer.status, status);
    t.match(answer.headers.get('content-type'), /^application\/problem\+json/);
    t.match(await answer.json(), { code, status, type: `urn:countersign:fault:${code}` });
  });
}

t.test('nothing can be written', async (t) => {
  for (const method of ['POST', 'PUT', 'DELETE']) {
    const answer = await fetch(`http://127.0.0.1:${peer.port}/v1/blocks/2`, { method });
    t.equal(answer.status, 404, method);
  }
});

t.test('a refusal is logged once, as no failure', async (t) => {
  const before = lines.with({ code: 'PEER_STATE_ABSENT' }).length;
  await ask('/v1/state/notary/never');
  t.equal(lines.with({ code: 'PEER_STATE_ABSENT' }).length, before + 1);
  t.same(lines.with({ level: 50 }), []);
});

t.test('without TLS a peer listens to its own machine only', async (t) => {
  const config = { ...stage.place.config, ledgerDir: `${stage.place.dir}/other` };
  const open = { ...config, http: { host: '0.0.0.0', port: 0 } };
  const deps = { log: new LogLines().log, genesis: chain.genesis };
  await t.rejects(buildPeer(open, deps), { code: 'PEER_LISTEN_INSECURE' });
  await using free = await buildPeer(config, deps);
  t.ok(free.port > 0, 'and the refused one holds nothing open');
  const taken = { ...config, ledgerDir: `${stage.place.dir}/second` };
  taken.http = { ...config.http, port: free.port };
  await t.rejects(buildPeer(taken, deps), {
    code: 'PEER_LISTEN_REFUSED',
    detail: { port: free.port, reason: /EADDRINUSE/ },
  });
});

t.test('with TLS a peer answers over it', async (t) => {
  const { writeFileSync } = await import('node:fs');
  const { get } = await import('node:https');
  const { dir } = stage.place;
  writeFileSync(`${dir}/https.pem`, tls.certificate);
  writeFileSync(`${dir}/https.key.pem`, tls.privateKey);
  const files = { certificateFile: `${dir}/https.pem`, keyFile: `${dir}/https.key.pem` };
  const http = { host: '0.0.0.0', port: 0, tls: files };
  const { peer: secure } = await runPeer(t, stage, { http, ledgerDir: `${dir}/secure` });
  const status = await new Promise((resolve, reject) => {
    get(
      { host: 'localhost', port: secure.port, path: '/v1/health', ca: tls.root, agent: false },
      (answer) => resolve(answer.resume().statusCode),
    ).on('error', reject);
  });
  t.equal(status, 200);
});
