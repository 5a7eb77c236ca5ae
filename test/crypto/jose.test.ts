import { sign } from 'node:crypto';
import { CompactSign, importJWK } from 'jose';
import t from 'tap';
import { concatBytes, fromBase64Url, utf8 } from '#base';
import {
  importPublicKey,
  isJoseAlgorithm,
  isLowSRaw,
  sm2PublicKeyOf,
  sm2Sign,
  verifyJose,
} from '#crypto';
import type { JoseAlgorithm } from '#crypto';
import { ecKey, ed25519Key, rsaKey } from './keys.ts';
import type { TestKey } from './keys.ts';
import { ecSpki } from '../../crypto/spki.ts';
import { oids } from '../../crypto/oids.ts';

const rsa = rsaKey();
const keys: Record<Exclude<JoseAlgorithm, 'SM2'>, TestKey> = {
  ES256: ecKey('P-256'),
  ES384: ecKey('P-384'),
  ES256K: ecKey('secp256k1'),
  EdDSA: ed25519Key(),
  RS256: rsa,
  PS256: rsa,
};
const sm2PrivateKey = new Uint8Array(32).fill(7);
const sm2Key = importPublicKey(ecSpki(oids.sm2, sm2PublicKeyOf(sm2PrivateKey)));
const joseAlgorithms = ['ES256', 'ES384', 'EdDSA', 'RS256', 'PS256'] as const;

/** A compact JWS made by the jose library, taken apart. */
async function joseSigned(algorithm: (typeof joseAlgorithms)[number]) {
  const jwk = keys[algorithm].privateKey.export({ format: 'jwk' });
  const jws = await new CompactSign(utf8('{"a":1}'))
    .setProtectedHeader({ alg: algorithm })
    .sign(await importJWK(jwk as Parameters<typeof importJWK>[0], algorithm));
  const dot = jws.lastIndexOf('.');
  return { input: utf8(jws.slice(0, dot)), signature: fromBase64Url(jws.slice(dot + 1))! };
}

for (const algorithm of joseAlgorithms) {
  t.test(`a JWS that jose signed with ${algorithm} verifies, and not when changed`, async (t) => {
    const { input, signature } = await joseSigned(algorithm);
    const key = keys[algorithm].publicKey;
    t.ok(verifyJose(algorithm, key, input, signature));
    t.notOk(verifyJose(algorithm, key, concatBytes(input, utf8('x')), signature));
    for (const at of [0, 31, signature.length - 1]) {
      const changed = Uint8Array.from(signature);
      changed[at]! ^= 1;
      t.notOk(verifyJose(algorithm, key, input, changed), `octet ${at}`);
    }
  });

  t.test(`${algorithm} refuses a signature of another length`, async (t) => {
    const { input, signature } = await joseSigned(algorithm);
    const key = keys[algorithm].publicKey;
    const zero = Uint8Array.of(0);
    for (const wrong of [
      new Uint8Array(0),
      signature.slice(1),
      signature.slice(0, -1),
      concatBytes(zero, signature),
      concatBytes(signature, zero),
      new Uint8Array(signature.length),
      new Uint8Array(100_000),
    ]) {
      t.equal(verifyJose(algorithm, key, input, wrong), false, `${wrong.length} bytes`);
    }
  });
}

t.test('ES256K verifies what OpenSSL signed', async (t) => {
  const { privateKey, publicKey } = keys.ES256K;
  const message = utf8('signed on secp256k1');
  const signature = sign('sha256', message, { key: privateKey, dsaEncoding: 'ieee-p1363' });
  t.ok(verifyJose('ES256K', publicKey, message, signature));
  t.notOk(verifyJose('ES256K', publicKey, utf8('other'), signature));
});

t.test('no algorithm verifies with a key of another kind', async (t) => {
  const all = [
    ...Object.entries(keys).map(([algorithm, { publicKey }]) => ({ algorithm, publicKey })),
    { algorithm: 'SM2', publicKey: sm2Key },
  ];
  let refused = 0;
  for (const { algorithm, publicKey: own } of all) {
    if (!isJoseAlgorithm(algorithm)) throw new Error(algorithm);
    for (const { algorithm: owner, publicKey } of all) {
      if (publicKey.kind === own.kind) continue;
      const attempt = () => verifyJose(algorithm, publicKey, utf8('m'), new Uint8Array(64));
      t.throws(attempt, { code: 'CRYPTO_ALGORITHM_MISMATCH' }, `${algorithm} with ${owner}`);
      refused += 1;
    }
  }
  t.equal(refused, 40);
});

t.test('only the seven algorithms are algorithms', async (t) => {
  for (const name of ['ES256', 'ES384', 'ES256K', 'EdDSA', 'RS256', 'PS256', 'SM2']) {
    t.ok(isJoseAlgorithm(name), name);
  }
  for (const name of [
    'none',
    'None',
    'HS256',
    'es256',
    'ES512',
    'RS1',
    'toString',
    '__proto__',
    '',
  ]) {
    t.notOk(isJoseAlgorithm(name), name);
  }
});

t.test('a mirrored ES256 signature verifies, and isLowSRaw tells the two apart', async (t) => {
  const { input, signature } = await joseSigned('ES256');
  const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
  const s = BigInt(`0x${Buffer.from(signature.subarray(32)).toString('hex')}`);
  const mirrored = (order - s).toString(16).padStart(64, '0');
  const other = concatBytes(signature.subarray(0, 32), Buffer.from(mirrored, 'hex'));
  t.ok(verifyJose('ES256', keys.ES256.publicKey, input, other));
  t.not(isLowSRaw('ES256', signature), isLowSRaw('ES256', other));
  t.equal(isLowSRaw('ES256', signature), s <= order / 2n);
  t.equal(isLowSRaw('EdDSA', new Uint8Array(64).fill(255)), true);
});

t.test('SM2 requests verify, and not when changed', async (t) => {
  const message = utf8('protected.payload');
  const signature = sm2Sign(sm2PrivateKey, message);
  t.ok(verifyJose('SM2', sm2Key, message, signature));
  t.notOk(verifyJose('SM2', sm2Key, utf8('protected.payloae'), signature));
  t.notOk(verifyJose('SM2', sm2Key, message, signature.slice(1)));
});
