import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { CompactSign } from 'jose';
import t from 'tap';
import { concatBytes, limits, toBase64Url, toHex, utf8 } from '#base';
import { importPublicKey, sm2PublicKeyOf, sm2Sign, verifyJose } from '#crypto';
import type { JoseAlgorithm } from '#crypto';
import { assembleJws, encodeRequest, parseRequest, requestType } from '#formats';
import { code, goodPayload, jwsOf, requestOf } from './request-sample.ts';

const keys: Partial<Record<JoseAlgorithm, ReturnType<typeof generateKeyPairSync>>> = {
  ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  ES384: generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  EdDSA: generateKeyPairSync('ed25519'),
  RS256: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  PS256: generateKeyPairSync('rsa', { modulusLength: 2048 }),
};

function keyOf(publicKey: KeyObject | string | Buffer) {
  if (typeof publicKey === 'string' || Buffer.isBuffer(publicKey)) throw new TypeError('a key');
  return importPublicKey(Uint8Array.from(publicKey.export({ type: 'spki', format: 'der' })));
}

/** SubjectPublicKeyInfo of GM/T 0009 up to the point. */
const sm2SpkiHead = Uint8Array.from(
  Buffer.from('3059301306072a8648ce3d020106082a811ccf5501822d034200', 'hex'),
);

t.test('002-1 a request made by plain jose is read and its signature verifies', async (t) => {
  for (const [alg, pair] of Object.entries(keys)) {
    if (typeof pair.privateKey === 'string') throw new Error('a key object is missing');
    const jws = await new CompactSign(utf8(JSON.stringify(goodPayload)))
      .setProtectedHeader({ alg, typ: requestType, kid: 'clerk-7' })
      .sign(pair.privateKey);
    const request = parseRequest(jws);
    t.strictSame(request.header, { alg, kid: 'clerk-7' });
    t.strictSame(request.payload, goodPayload);
    t.ok(
      verifyJose(
        request.header.alg,
        keyOf(pair.publicKey),
        request.signingInput,
        request.signature,
      ),
      `${alg} verifies`,
    );
  }
});

t.test('a request signed with ES256K is read and its signature verifies', async (t) => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'secp256k1' });
  const input = encodeRequest({ alg: 'ES256K', kid: 'k' }, goodPayload);
  const signature = sign('sha256', input, { key: privateKey, dsaEncoding: 'ieee-p1363' });
  const request = parseRequest(assembleJws(input, signature));
  t.ok(verifyJose('ES256K', keyOf(publicKey), request.signingInput, request.signature));
});

t.test('a request signed with SM2 is read and its signature verifies', async (t) => {
  const privateKey = new Uint8Array(32).fill(5);
  const input = encodeRequest({ alg: 'SM2', kid: 'k' }, goodPayload);
  const request = parseRequest(assembleJws(input, sm2Sign(privateKey, input)));
  t.equal(request.header.alg, 'SM2');
  const spki = concatBytes(sm2SpkiHead, sm2PublicKeyOf(privateKey));
  t.ok(verifyJose('SM2', importPublicKey(spki), request.signingInput, request.signature));
});

t.test('a certificate chain in the header is read as DER', async (t) => {
  const x5c = [Uint8Array.of(48, 1, 2), Uint8Array.of(48, 3)];
  const request = parseRequest(jwsOf(encodeRequest({ alg: 'ES256', x5c }, goodPayload)));
  t.strictSame(request.header, { alg: 'ES256', x5c });
});

t.test('text and bytes of one request are read alike', async (t) => {
  const text = requestOf({});
  const fromText = parseRequest(text);
  t.strictSame(parseRequest(utf8(text)), fromText);
  const fromBuffer = parseRequest(Buffer.from(text));
  t.notOk(fromBuffer.bytes instanceof Buffer, 'no Buffer leaks out');
  t.strictSame(fromBuffer, fromText);
  t.strictSame(fromText.bytes, utf8(text));
});

t.test('the request id is that of the signing input', async (t) => {
  const input = encodeRequest({ alg: 'ES256', kid: 'k' }, goodPayload);
  const first = parseRequest(assembleJws(input, new Uint8Array(64).fill(1)));
  const second = parseRequest(assembleJws(input, new Uint8Array(64).fill(2)));
  t.equal(first.requestId, createHash('sha256').update(input).digest('hex'));
  t.equal(first.requestId, toHex(first.requestIdBytes));
  t.equal(second.requestId, first.requestId, 'another signature makes no other request');
});

t.test('what is not a compact JWS is refused', async (t) => {
  const [header = '', payload = '', signature = ''] = requestOf({}).split('.');
  for (const bad of ['', '.', '..', `${header}.${payload}`, `${header}.${payload}.${signature}.`]) {
    t.equal(code(bad), 'FORMATS_REQUEST_NOT_COMPACT', bad.slice(-9));
  }
  t.equal(code(`.${payload}.${signature}`), 'FORMATS_REQUEST_NOT_COMPACT');
  t.equal(code(JSON.stringify({ payload, signatures: [] })), 'FORMATS_REQUEST_NOT_COMPACT');
  t.equal(code(`${header}.${payload}.`), 'FORMATS_REQUEST_SIGNATURE_EMPTY');
});

t.test('only the one canonical base64url is taken', async (t) => {
  const [header = '', payload = '', signature = ''] = requestOf({}).split('.');
  const padding = 'é \n=+/*';
  for (const extra of padding) {
    const texts = [
      `${header}${extra}.${payload}.${signature}`,
      `${header}.${payload}${extra}.${signature}`,
      `${header}.${payload}.${signature}${extra}`,
    ];
    for (const text of texts) t.equal(code(text), 'FORMATS_REQUEST_ENCODING_INVALID');
  }
  t.equal(code(`${header}.${payload}.AB`), 'FORMATS_REQUEST_ENCODING_INVALID', 'unused bits set');
  t.equal(code(`${header}.${payload}.A`), 'FORMATS_REQUEST_ENCODING_INVALID', 'half a byte');
  t.equal(code(utf8(`${header}.${payload}.é`)), 'FORMATS_REQUEST_ENCODING_INVALID');
});

t.test('an unsigned request is refused by its own code, however none is spelt', async (t) => {
  for (const alg of ['none', 'None', 'NONE', 'nOnE']) {
    t.equal(code(requestOf({ header: { alg } })), 'FORMATS_REQUEST_ALGORITHM_NONE');
  }
  for (const alg of ['HS256', 'ES512', 'es256', '', 'toString', 'RSA1_5']) {
    t.equal(code(requestOf({ header: { alg } })), 'FORMATS_REQUEST_ALGORITHM_UNKNOWN', alg);
  }
});

t.test('every member of the header is demanded or known', async (t) => {
  const cases: [object, string][] = [
    [{ typ: 'JWT' }, 'FORMATS_REQUEST_TYPE_WRONG'],
    [{ typ: undefined }, 'FORMATS_REQUEST_MEMBER_MISSING'],
    [{ alg: undefined }, 'FORMATS_REQUEST_MEMBER_MISSING'],
    [{ alg: 7 }, 'FORMATS_REQUEST_MEMBER_INVALID'],
    [{ alg: null }, 'FORMATS_REQUEST_MEMBER_INVALID'],
    [{ kid: undefined }, 'FORMATS_REQUEST_KEY_AMBIGUOUS'],
    [{ x5c: ['MAA='] }, 'FORMATS_REQUEST_KEY_AMBIGUOUS'],
    [{ kid: '' }, 'FORMATS_REQUEST_MEMBER_INVALID'],
    [{ kid: 'a b' }, 'FORMATS_REQUEST_MEMBER_INVALID'],
    [{ kid: 7 }, 'FORMATS_REQUEST_MEMBER_INVALID'],
    [{ kid: null }, 'FORMATS_REQUEST_MEMBER_INVALID'],
    [{ kid: 'x'.repeat(limits.nameBytes + 1) }, 'FORMATS_REQUEST_NAME_TOO_LONG'],
    ...['crit', 'b64', 'jwk', 'jku', 'x5u', 'cty', '__proto__x', 'constructor'].map(
      (name): [object, string] => [{ [name]: [] }, 'FORMATS_REQUEST_MEMBER_UNKNOWN'],
    ),
  ];
  for (const [header, expected] of cases) {
    t.equal(code(requestOf({ header })), expected, JSON.stringify(header));
  }
  const endless = requestOf({ header: { ['z'.repeat(500)]: 1 } });
  t.throws(
    () => parseRequest(endless),
    { code: 'FORMATS_REQUEST_MEMBER_UNKNOWN', detail: { member: 'z'.repeat(limits.nameBytes) } },
    'a member is named, but not at any length',
  );
});

t.test('a certificate chain is bounded and in canonical base64', async (t) => {
  const x5c = (...certificates: unknown[]) =>
    code(requestOf({ header: { kid: undefined, x5c: certificates } }));
  t.equal(x5c('MAA='), undefined);
  t.equal(x5c(), 'FORMATS_REQUEST_MEMBER_INVALID');
  t.equal(x5c(7), 'FORMATS_REQUEST_MEMBER_INVALID');
  t.equal(x5c(''), 'FORMATS_REQUEST_MEMBER_INVALID');
  t.equal(x5c('MAA'), 'FORMATS_REQUEST_MEMBER_INVALID', 'padding is part of it');
  t.equal(x5c('M_A='), 'FORMATS_REQUEST_MEMBER_INVALID', 'base64url is something else');
  const many = Array.from({ length: limits.x5cCertificatesMax + 1 }, () => 'MAA=');
  t.equal(x5c(...many), 'FORMATS_REQUEST_CERTIFICATES_TOO_MANY');
  const large = Buffer.alloc(limits.certificateBytes + 3).toString('base64');
  t.equal(x5c(large), 'FORMATS_REQUEST_CERTIFICATE_TOO_LARGE');
  t.equal(
    code(requestOf({ header: { kid: undefined, x5c: 'MAA=' } })),
    'FORMATS_REQUEST_MEMBER_INVALID',
  );
});

t.test('header and payload are strict JSON objects', async (t) => {
  const header = utf8(JSON.stringify({ alg: 'ES256', typ: requestType, kid: 'k' }));
  const withHeader = (bytes: Uint8Array) =>
    code(`${toBase64Url(bytes)}.${toBase64Url(utf8(JSON.stringify(goodPayload)))}.AAAA`);
  const withPayload = (bytes: Uint8Array) =>
    code(`${toBase64Url(header)}.${toBase64Url(bytes)}.AAAA`);
  for (const read of [withHeader, withPayload]) {
    t.equal(read(Uint8Array.of(0x7b, 0xff, 0x7d)), 'FORMATS_REQUEST_UTF8_INVALID');
    t.equal(read(utf8('{"a":"\\ud800"}')), 'FORMATS_REQUEST_UTF8_INVALID', 'lone surrogate');
    t.equal(read(utf8('\ufeff{}')), 'FORMATS_REQUEST_JSON_INVALID', 'byte-order mark');
    for (const text of [
      '{',
      ' ',
      '{"a":1,}',
      "{'a':1}",
      '{"a":1}x',
      '{"a',
      '{"a\\',
      '"\\"',
      'NaN',
    ]) {
      t.equal(read(utf8(text)), 'FORMATS_REQUEST_JSON_INVALID', text);
    }
    for (const text of ['[]', 'null', '7', '"text"']) {
      t.equal(read(utf8(text)), 'FORMATS_REQUEST_JSON_INVALID', text);
    }
    t.equal(read(utf8('['.repeat(9))), 'FORMATS_REQUEST_TOO_DEEP');
    t.equal(read(utf8('{"a":'.repeat(100_000))), 'FORMATS_REQUEST_TOO_DEEP');
  }
});

t.test('a member given twice is refused however it is spelt', async (t) => {
  const texts = [
    `{"alg":"ES256","typ":"${requestType}","kid":"a","kid":"b"}`,
    `{"alg":"ES256","typ":"${requestType}","kid":"a","\\u006bid":"b"}`,
    `{"alg":"none","typ":"${requestType}","kid":"a:b\\"","alg":"ES256"}`,
  ];
  for (const text of texts) {
    const [, payload] = requestOf({}).split('.');
    const jws = `${toBase64Url(utf8(text))}.${payload}.AAAA`;
    t.equal(code(jws), 'FORMATS_REQUEST_MEMBER_DUPLICATE', text);
  }
  const operation = JSON.stringify(goodPayload).replace('"args":', '"args":[],"args":');
  const [header] = requestOf({}).split('.');
  t.equal(
    code(`${header}.${toBase64Url(utf8(operation))}.AAAA`),
    'FORMATS_REQUEST_MEMBER_DUPLICATE',
    'inside an operation',
  );
});

t.test('colons, quotes and brackets inside strings are only text', async (t) => {
  const args = [
    '{"a":1}',
    '\\',
    '\\"',
    '":"',
    '[[[[[[[[[[[[',
    `${'x'.repeat(200)}\\":"`,
    '\u00e9\ud83d\ude00',
  ];
  const payload = { operations: [{ function: 'f', args }] };
  t.strictSame(parseRequest(requestOf({ payload })).payload.operations[0]?.args, args);
});

t.test('a header that was read before is read the same, and nobody can change it', async (t) => {
  const header = { alg: 'ES256', typ: requestType, kid: 'known' };
  const first = parseRequest(requestOf({ header }));
  t.throws(() => Object.assign(first.header, { alg: 'none' }), TypeError);
  const second = parseRequest(requestOf({ header, payload: { ...goodPayload, iat: 2, exp: 3 } }));
  t.strictSame(second.header, { alg: 'ES256', kid: 'known' });
  t.equal(second.payload.iat, 2, 'the payload is its own');
  for (let index = 0; index < limits.requestHeadersCachedMax + 10; index += 1) {
    const kid = `client-${index}`;
    const read = parseRequest(requestOf({ header: { ...header, kid } })).header;
    if (read.kid !== kid) t.fail(kid);
  }
  t.strictSame(parseRequest(requestOf({ header })).header, { alg: 'ES256', kid: 'known' });
});

t.test('a header that is refused is refused every time', async (t) => {
  const header = { alg: 'none', typ: requestType, kid: 'known' };
  for (let times = 0; times < 3; times += 1) {
    t.equal(code(requestOf({ header })), 'FORMATS_REQUEST_ALGORITHM_NONE');
  }
});
