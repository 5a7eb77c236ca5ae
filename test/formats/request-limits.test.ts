import t from 'tap';
import { limits } from '#base';
import { parseRequest } from '#formats';
import { code, goodPayload, requestOf } from './request-sample.ts';

t.test('every member of the payload is demanded, known and of its kind', async (t) => {
  for (const name of Object.keys(goodPayload)) {
    const missing = code(requestOf({ payload: { [name]: undefined } }));
    t.equal(missing, 'FORMATS_REQUEST_MEMBER_MISSING', `without ${name}`);
    for (const value of [null, true, {}]) {
      const wrong = code(requestOf({ payload: { [name]: value } }));
      t.equal(wrong, 'FORMATS_REQUEST_MEMBER_INVALID', `${name} ${JSON.stringify(value)}`);
    }
  }
  t.equal(code(requestOf({ payload: { sub: 'x' } })), 'FORMATS_REQUEST_MEMBER_UNKNOWN');
});

t.test('names are short, visible and safe in a path', async (t) => {
  for (const name of ['channel', 'contract']) {
    for (const bad of ['', 'a b', 'a/b', '../x', '.', 'é', 'a\u0000', '-a']) {
      const answer = code(requestOf({ payload: { [name]: bad } }));
      t.equal(answer, 'FORMATS_REQUEST_MEMBER_INVALID', `${name} ${JSON.stringify(bad)}`);
    }
    const long = 'x'.repeat(limits.nameBytes + 1);
    t.equal(code(requestOf({ payload: { [name]: long } })), 'FORMATS_REQUEST_NAME_TOO_LONG');
    const longest = 'x'.repeat(limits.nameBytes);
    t.equal(code(requestOf({ payload: { [name]: longest } })), undefined);
  }
  t.equal(code(requestOf({ payload: { contract: '_lifecycle' } })), undefined);
});

function withOperation(operation: unknown): string | undefined {
  return code(requestOf({ payload: { operations: [operation] } }));
}

t.test('an operation is a function and its arguments, nothing else', async (t) => {
  t.equal(withOperation({ function: 'f', args: [] }), undefined);
  t.equal(withOperation({ function: 'f' }), 'FORMATS_REQUEST_MEMBER_MISSING');
  t.equal(withOperation({ args: [] }), 'FORMATS_REQUEST_MEMBER_MISSING');
  t.equal(withOperation({ function: 'f', args: [], x: 1 }), 'FORMATS_REQUEST_MEMBER_UNKNOWN');
  t.equal(withOperation({ function: '', args: [] }), 'FORMATS_REQUEST_MEMBER_INVALID');
  t.equal(withOperation({ function: 'f', args: {} }), 'FORMATS_REQUEST_MEMBER_INVALID');
  t.equal(withOperation({ function: 'f', args: [7] }), 'FORMATS_REQUEST_MEMBER_INVALID');
  t.equal(withOperation(['f']), 'FORMATS_REQUEST_JSON_INVALID');
  t.equal(withOperation(null), 'FORMATS_REQUEST_JSON_INVALID');
  const long = 'f'.repeat(limits.nameBytes + 1);
  t.equal(withOperation({ function: long, args: [] }), 'FORMATS_REQUEST_NAME_TOO_LONG');
});

t.test('counts and sizes are held to their limits exactly', async (t) => {
  const operations = (count: number) =>
    code(
      requestOf({
        payload: { operations: Array.from({ length: count }, () => ({ function: 'f', args: [] })) },
      }),
    );
  t.equal(operations(0), 'FORMATS_REQUEST_MEMBER_INVALID');
  t.equal(operations(limits.operationsPerRequest), undefined);
  t.equal(operations(limits.operationsPerRequest + 1), 'FORMATS_REQUEST_OPERATIONS_TOO_MANY');
  const args = (count: number) =>
    withOperation({ function: 'f', args: Array.from({ length: count }, () => '') });
  t.equal(args(limits.argsPerOperation), undefined);
  t.equal(args(limits.argsPerOperation + 1), 'FORMATS_REQUEST_ARGUMENTS_TOO_MANY');
  const arg = (text: string) => withOperation({ function: 'f', args: [text] });
  t.equal(arg('x'.repeat(limits.argBytes)), undefined);
  t.equal(arg('x'.repeat(limits.argBytes + 1)), 'FORMATS_REQUEST_ARGUMENT_TOO_LARGE');
  t.equal(arg('é'.repeat(limits.argBytes / 2)), undefined);
  t.equal(arg(`é${'é'.repeat(limits.argBytes / 2)}`), 'FORMATS_REQUEST_ARGUMENT_TOO_LARGE');
});

t.test('a request of the largest size is read, one byte more is not', async (t) => {
  const [header, payload] = requestOf({}).split('.');
  const start = `${header}.${payload}.`;
  const filler = Math.floor((limits.requestBytes - start.length) / 4) * 4;
  t.equal(code(start + 'A'.repeat(filler)), undefined);
  t.equal(code('A'.repeat(limits.requestBytes + 1)), 'FORMATS_REQUEST_TOO_LARGE');
  t.equal(code(new Uint8Array(limits.requestBytes + 1)), 'FORMATS_REQUEST_TOO_LARGE');
});

t.test('a nonce has 16 to 64 bytes in canonical base64url', async (t) => {
  const nonce = (bytes: number) =>
    code(requestOf({ payload: { nonce: Buffer.alloc(bytes, 1).toString('base64url') } }));
  t.equal(nonce(limits.nonceBytesMin), undefined);
  t.equal(nonce(limits.nonceBytesMax), undefined);
  t.equal(nonce(limits.nonceBytesMin - 1), 'FORMATS_REQUEST_NONCE_LENGTH');
  t.equal(nonce(limits.nonceBytesMax + 1), 'FORMATS_REQUEST_NONCE_LENGTH');
  for (const bad of [
    'AAECAwQFBgcICQoLDA0OD_',
    'AAECAwQFBgcICQoLDA0OD+',
    'AAECAwQFBgcICQoLDA0ODw=',
  ]) {
    t.equal(code(requestOf({ payload: { nonce: bad } })), 'FORMATS_REQUEST_MEMBER_INVALID', bad);
  }
});

t.test('times are whole seconds, in order and at most a day apart', async (t) => {
  const times = (iat: unknown, exp: unknown) => code(requestOf({ payload: { iat, exp } }));
  const longest = limits.requestLifetimeSecondsMax;
  t.equal(times(0, longest), undefined);
  t.equal(times(0, longest + 1), 'FORMATS_REQUEST_LIFETIME_TOO_LONG');
  t.equal(times(5, 5), 'FORMATS_REQUEST_LIFETIME_EMPTY');
  t.equal(times(6, 5), 'FORMATS_REQUEST_LIFETIME_EMPTY');
  for (const bad of ['5', 1.5, -1, 2 ** 53]) {
    t.equal(times(bad, 10), 'FORMATS_REQUEST_MEMBER_INVALID', `iat ${bad}`);
    t.equal(times(1, bad), 'FORMATS_REQUEST_MEMBER_INVALID', `exp ${bad}`);
  }
});

t.test('002-1 one request carries a thousand operations under one signature', async (t) => {
  const operations = Array.from({ length: 1_000 }, (_, index) => ({
    function: 'deposit',
    args: [`${index}`],
  }));
  const { payload } = parseRequest(requestOf({ payload: { operations } }));
  t.strictSame(payload.operations, operations);
});
