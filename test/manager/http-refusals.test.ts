import t from 'tap';
import { limits } from '#base';
import { makeChannel, makeMember } from './channel.ts';
import { openTestLedger } from './test-ledger.ts';
import { edgeOf } from './zone-edge.ts';

const channel = await makeChannel();
const clerk = await makeMember(channel.authorities.Org1MSP, 'Org1MSP');
const { ledger } = await openTestLedger(t, channel);
const { app } = edgeOf(t, { channel, clerk, ledger }).http;

const jose = { 'content-type': 'application/jose' };
const ndjson = { 'content-type': 'application/x-ndjson' };
const url = '/v1/requests';

const wrongCalls: Readonly<Record<string, [call: object, status: number, code: string]>> = {
  'of another media type': [
    { headers: { 'content-type': 'application/json' }, payload: '{}' },
    400,
    'MANAGER_MEDIA_TYPE_UNKNOWN',
  ],
  'without a media type': [{ payload: 'x' }, 400, 'MANAGER_MEDIA_TYPE_UNKNOWN'],
  'that is empty': [{ headers: jose, payload: '' }, 400, 'MANAGER_CALL_INVALID'],
  'of no line': [{ headers: ndjson, payload: '' }, 400, 'MANAGER_CALL_INVALID'],
  'of two requests as one': [{ headers: jose, payload: 'a\nb' }, 400, 'MANAGER_CALL_INVALID'],
  'with too many requests': [
    { headers: ndjson, payload: 'x\n'.repeat(limits.requestsPerCall + 1) },
    400,
    'MANAGER_CALL_TOO_LARGE',
  ],
  'with one request too large': [
    { headers: jose, payload: 'x'.repeat(limits.requestBytes + 1) },
    400,
    'MANAGER_CALL_TOO_LARGE',
  ],
  'with a query nobody knows': [
    { url: `${url}?wait=none&color=red`, headers: jose, payload: 'x' },
    400,
    'MANAGER_CALL_INVALID',
  ],
  'that waits for something else': [
    { url: `${url}?wait=all`, headers: jose, payload: 'x' },
    400,
    'MANAGER_CALL_INVALID',
  ],
};

for (const [what, [call, status, code]] of Object.entries(wrongCalls)) {
  t.test(`a call ${what} is refused`, async (t) => {
    const answer = await app.inject({ method: 'POST', url, ...call });
    t.equal(answer.statusCode, status);
    t.match(answer.json(), { code });
  });
}

const wrongPaths: Readonly<Record<string, [code: string, status: number]>> = {
  '/': ['MANAGER_ROUTE_UNKNOWN', 404],
  '/v1/requests': ['MANAGER_ROUTE_UNKNOWN', 404],
  '/v1/requests/abc': ['MANAGER_CALL_INVALID', 400],
  [`/v1/requests/${'A'.repeat(64)}`]: ['MANAGER_CALL_INVALID', 400],
  [`/v1/requests/${'a'.repeat(64)}/receipt`]: ['MANAGER_REQUEST_ABSENT', 404],
  '/v1/blocks/x': ['MANAGER_CALL_INVALID', 400],
  '/v1/blocks/007': ['MANAGER_CALL_INVALID', 400],
  '/v1/blocks/-1': ['MANAGER_CALL_INVALID', 400],
  '/v1/blocks/99999999999999999999': ['MANAGER_CALL_INVALID', 400],
  '/v1/blocks/2': ['MANAGER_BLOCK_ABSENT', 404],
  '/v1/blocks/0?format=xml': ['MANAGER_CALL_INVALID', 400],
  '/v1/transactions/xyz': ['MANAGER_CALL_INVALID', 400],
  [`/v1/transactions/${'a'.repeat(64)}`]: ['MANAGER_TRANSACTION_ABSENT', 404],
  '/v1/health?all=1': ['MANAGER_CALL_INVALID', 400],
};

for (const [path, [code, status]] of Object.entries(wrongPaths)) {
  t.test(`GET ${path.slice(0, 40)} is refused`, async (t) => {
    const answer = await app.inject({ method: 'GET', url: path });
    t.match(answer.json(), { code, status });
    t.equal(answer.statusCode, status);
  });
}
