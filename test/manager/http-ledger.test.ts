import t from 'tap';
import type { Test } from 'tap';
import { toHex, utf8 } from '#base';
import {
  Block,
  bundleOf,
  checkReceipt,
  headerHash,
  parseReceipt,
  parseRequest,
  parseTransaction,
  validationCodes,
} from '#formats';
import type { RequestResult } from '#formats';
import { makeChannel, makeMember } from './channel.ts';
import { signedRequest } from './signed-request.ts';
import { openTestLedger } from './test-ledger.ts';
import { edgeOf } from './zone-edge.ts';

const channel = await makeChannel();
const clerk = await makeMember(channel.authorities.Org1MSP, 'Org1MSP');
const byKid = { alg: 'ES256', kid: 'clerk-1' } as const;
const url = '/v1/requests';
const jose = { 'content-type': 'application/jose' };
const ndjson = { 'content-type': 'application/x-ndjson' };

const signed = () => signedRequest(clerk, byKid);
const idOf = (bytes: Uint8Array) => parseRequest(bytes).requestId;

/** The edge over a real ledger; what is submitted within one turn is committed as one bundle. */
async function serve(
  t: Test,
  result?: (request: Uint8Array, index: number) => Partial<RequestResult>,
) {
  const { ledger, commit } = await openTestLedger(t, channel);
  const edge = edgeOf(t, { channel, clerk, ledger });
  const { http, pipeline } = edge;
  let waiting: Uint8Array[] = [];
  const cut = async () => {
    const requests = waiting;
    waiting = [];
    const { block, codes, number } = await commit([{ requests, ...(result && { result }) }]);
    const view = (await http.app.inject(`/v1/blocks/${number}`)).json<BlockJson>();
    const bundle = bundleOf(parseTransaction(block.data!.data[0]!));
    for (const [index, request] of requests.entries()) {
      pipeline.settle({
        requestId: idOf(request),
        state: 'committed',
        result: bundle!.results[index]!,
        blockNumber: number,
        txId: view.transactions[0]!.txId,
        requestIndex: index,
        validationCode: codes[0]!,
      });
    }
  };
  pipeline.onSubmit = ({ request }) => {
    if (waiting.push(request.bytes) === 1) setImmediate(() => void cut());
  };
  const post = (bytes: Uint8Array) =>
    http.app.inject({ method: 'POST', url, headers: jose, payload: Buffer.from(bytes) });
  return { ...edge, ledger, commit, post };
}

interface BlockJson {
  transactions: { txId: string }[];
}

t.test(
  'a committed request is answered with its results, its place and a receipt that holds',
  async (t) => {
    const { ledger, post } = await serve(t, () => ({
      payloads: [utf8('Grüße'), Uint8Array.of(0xff, 0)],
    }));
    const bytes = signed();
    const answer = await post(bytes);
    t.equal(answer.statusCode, 200);
    const body = answer.json<{ receipt: object; transaction: string }>();
    t.match(body, {
      requestId: idOf(bytes),
      status: 200,
      state: 'committed',
      outcome: { validation: 'VALID', status: 200, message: '' },
      payloads: [{ text: 'Grüße' }, { base64: '/wA=' }],
      block: 2,
      transaction: /^[0-9a-f]{64}$/,
      requestIndex: 0,
    });
    const receipt = parseReceipt(JSON.stringify(body.receipt));
    const facts = checkReceipt(receipt);
    t.equal(facts.outcome, 'executed');
    t.equal(facts.request.requestId, idOf(bytes));
    t.equal(toHex(facts.headerHash), toHex(ledger.lastHeaderHash));
    t.strictSame(
      facts.signatures.map(({ mspid }) => mspid),
      ['ZoneMSP'],
    );
  },
);

t.test(
  'a request that its contract failed is 422 and has a receipt as well: it is on the ledger',
  async (t) => {
    const failed = {
      status: 409,
      message: 'deposited before',
      code: 'CONTRACT_FAILED',
      payloads: [],
    };
    const { post } = await serve(t, () => failed);
    const answer = await post(signed());
    t.equal(answer.statusCode, 422);
    const body = answer.json<{ receipt: object }>();
    t.match(body, {
      status: 422,
      state: 'committed',
      outcome: {
        validation: 'VALID',
        status: 409,
        message: 'deposited before',
        code: 'CONTRACT_FAILED',
      },
      payloads: [],
    });
    t.equal(checkReceipt(parseReceipt(JSON.stringify(body.receipt))).outcome, 'failed');
  },
);

t.test(
  'a request whose transaction became invalid is a conflict, and may be posted again',
  async (t) => {
    const { http, commit, post } = await serve(t);
    const bytes = signed();
    await commit([{ requests: [bytes] }], validationCodes.MVCC_READ_CONFLICT);
    const look = () => http.app.inject(`${url}/${idOf(bytes)}`);
    t.match((await look()).json(), { status: 409, outcome: { validation: 'MVCC_READ_CONFLICT' } });
    t.equal((await post(bytes)).statusCode, 200);
    t.match((await look()).json(), { status: 200, outcome: { validation: 'VALID' }, block: 3 });
  },
);

t.test('002-8 a request that was executed is a conflict that names its place', async (t) => {
  const { post } = await serve(t);
  const bytes = signed();
  const first = (await post(bytes)).json<{ transaction: string }>();
  const again = await post(bytes);
  t.equal(again.statusCode, 409);
  t.match(again.json(), {
    code: 'MANAGER_REQUEST_REPLAYED',
    requestId: idOf(bytes),
    facts: { block: 2, transaction: first.transaction, requestIndex: 0 },
  });
});

t.test(
  'many requests of one call come back in their order, each with its own receipt',
  async (t) => {
    const { http } = await serve(t);
    const requests = Array.from({ length: 20 }, signed);
    const payload = Buffer.concat(requests.flatMap((one) => [one, utf8('\n')]));
    const answer = await http.app.inject({ method: 'POST', url, headers: ndjson, payload });
    const lines = answer.body.trim().split('\n');
    t.equal(lines.length, requests.length);
    for (const [index, line] of lines.entries()) {
      const body = JSON.parse(line) as { requestId: string; receipt: object; payloads: object[] };
      t.equal(body.requestId, idOf(requests[index]!));
      t.match(body.payloads, [{ text: `answer ${index}` }]);
      const facts = checkReceipt(parseReceipt(JSON.stringify(body.receipt)));
      t.equal(facts.request.requestId, body.requestId);
    }
  },
);

t.test(
  'an outcome and its receipt are found by the request’s id, also of an old block',
  async (t) => {
    const { http, commit, post } = await serve(t);
    const bytes = signed();
    const posted = (await post(bytes)).json<{ receipt: object }>();
    await commit([{ requests: [signed(), signed()] }]);
    const found = (await http.app.inject(`${url}/${idOf(bytes)}`)).json<{ receipt: object }>();
    t.strictSame(found, posted);
    const receipt = await http.app.inject(`${url}/${idOf(bytes)}/receipt`);
    t.strictSame(receipt.json(), posted.receipt);
  },
);

t.test('002-14 blocks are read as JSON and as the bytes that peers pull', async (t) => {
  const { http, ledger, post } = await serve(t);
  const bytes = signed();
  const { transaction } = (await post(bytes)).json<{ transaction: string }>();
  const raw = await http.app.inject('/v1/blocks/2?format=protobuf');
  t.equal(raw.headers['content-type'], 'application/x-protobuf');
  t.equal(toHex(raw.rawPayload), toHex(ledger.rawBlock(2n)!));
  const block = Block.decode(raw.rawPayload);
  const view = (await http.app.inject('/v1/blocks/2')).json<object>();
  t.match(view, {
    number: 2,
    bytes: raw.rawPayload.length,
    headerHash: toHex(headerHash(block.header!)),
    previousHash: toHex(block.header!.previousHash),
    commitHash: /^[0-9a-f]{64}$/,
    lastConfig: 0,
    signers: ['ZoneMSP'],
    evidence: { treeSize: 1, rootHash: toHex(ledger.evidence.root) },
    transactions: [
      {
        txId: transaction,
        type: 'endorserTransaction',
        validation: 'VALID',
        contract: 'notary',
        requests: [idOf(bytes)],
      },
    ],
  });
  const genesis = await http.app.inject('/v1/blocks/0');
  t.match(genesis.json(), {
    number: 0,
    commitHash: '',
    signers: [],
    transactions: [{ type: 'config' }],
  });
});

t.test('a transaction shows its requests as their clients signed them', async (t) => {
  const { http, post } = await serve(t);
  const bytes = signed();
  const { transaction } = (await post(bytes)).json<{ transaction: string }>();
  const answer = await http.app.inject(`/v1/transactions/${transaction}`);
  t.match(answer.json(), {
    txId: transaction,
    block: 2,
    index: 0,
    validation: 'VALID',
    time: '2030-01-01T00:00:00.000Z',
    creator: 'ZoneMSP',
    contract: 'notary',
    endorsers: ['ZoneMSP'],
    requests: [
      {
        requestId: idOf(bytes),
        status: 200,
        payloads: [{ text: 'answer 0' }],
        jws: Buffer.from(bytes).toString(),
      },
    ],
  });
});

t.test('health tells how far the ledger is', async (t) => {
  const { http, ledger, post } = await serve(t);
  await post(signed());
  t.strictSame((await http.app.inject('/v1/health')).json(), {
    status: 'ok',
    channel: 'deeds',
    height: 3,
    headerHash: toHex(ledger.lastHeaderHash),
    evidence: { treeSize: 1, rootHash: toHex(ledger.evidence.root) },
    stages: {},
  });
});
