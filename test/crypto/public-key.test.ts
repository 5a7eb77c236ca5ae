import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import t from 'tap';
import { concatBytes, fromHex, limits, toHex, utf8 } from '#base';
import {
  importPoint,
  importPublicKey,
  importTokenPoint,
  publicKeyBits,
  sha256,
  sm2PublicKeyOf,
  verifyJose,
} from '#crypto';
import {
  derBitString,
  derInteger,
  derNull,
  derOctetString,
  derOid,
  derSequence,
} from '../../crypto/der-writer.ts';
import { oids } from '../../crypto/oids.ts';
import { ecSpki, rsaSpki } from '../../crypto/spki.ts';
import { ecKey, ed25519Key, rsaKey, spkiOf } from './keys.ts';

const invalid = { code: 'CRYPTO_KEY_INVALID' };
const unsupported = { code: 'CRYPTO_KEY_UNSUPPORTED' };

function rsaOf(bits: bigint, exponent = 65537n, last = 1n): Uint8Array {
  const modulus = (1n << (bits - 1n)) + last;
  return rsaSpki(derSequence(derInteger(modulus), derInteger(exponent)));
}

t.test('002-24 every kind of key is told by its kind and its fingerprint', async (t) => {
  const sm2Spki = ecSpki(oids.sm2, sm2PublicKeyOf(new Uint8Array(32).fill(1)));
  for (const [kind, spki] of [
    ['P-256', ecKey('P-256').spki],
    ['P-384', ecKey('P-384').spki],
    ['secp256k1', ecKey('secp256k1').spki],
    ['Ed25519', ed25519Key().spki],
    ['RSA', rsaKey().spki],
    ['SM2', sm2Spki],
  ] as const) {
    const key = importPublicKey(spki);
    t.equal(key.kind, kind);
    t.same(key.spki, spki);
    t.equal(key.fingerprint, toHex(sha256(spki)));
  }
});

t.test('a key keeps its own copy of the bytes', async (t) => {
  const { spki } = ecKey();
  const buffer = Uint8Array.from(spki);
  const key = importPublicKey(buffer);
  buffer.fill(0);
  t.same(key.spki, spki);
});

t.test('the point of a token becomes the key', async (t) => {
  for (const curve of ['P-256', 'P-384']) {
    const { spki, publicKey } = ecKey(curve);
    t.equal(importPoint(publicKeyBits(publicKey)).fingerprint, publicKey.fingerprint);
    t.same(importPoint(publicKeyBits(publicKey)).spki, spki);
  }
  t.throws(() => importPoint(new Uint8Array(64)), invalid);
});

t.test('a token may wrap the point or not, and a bare one may begin as if wrapped', async (t) => {
  for (const curve of ['P-256', 'P-384']) {
    const { publicKey } = ecKey(curve);
    const point = publicKeyBits(publicKey);
    for (const held of [point, derOctetString(point)]) {
      t.equal(importTokenPoint(held).fingerprint, publicKey.fingerprint, `${held.length} bytes`);
    }
    t.throws(() => importTokenPoint(derOctetString(derOctetString(point))), invalid);
  }
  // 20220 times the generator: 04 3f 04 … reads like the head of an OCTET STRING of 63 bytes.
  const lookAlike = fromHex(
    '043f0419f47d597728f6610f15a228d2431f538c9af62af57b7e65cbd93b83f692' +
      '2963134724f29e393b02e6eda838ae2b7f8fa6db34c3818380dac44b4fad9df0',
  )!;
  t.same(publicKeyBits(importTokenPoint(lookAlike)), lookAlike);
});

t.test('a point beside its curve is refused', async (t) => {
  for (const [curve, size] of [
    [oids.p256, 65],
    [oids.p384, 97],
    [oids.secp256k1, 65],
    [oids.sm2, 65],
  ] as const) {
    const point = new Uint8Array(size).fill(5);
    point[0] = 4;
    t.throws(() => importPublicKey(ecSpki(curve, point)), invalid, curve);
    t.throws(() => importPublicKey(ecSpki(curve, Uint8Array.of(0))), invalid, 'infinity');
  }
});

t.test('a compressed or hybrid point is refused', async (t) => {
  const point = publicKeyBits(ecKey().publicKey);
  const parity = point[64]! & 1;
  const compressed = concatBytes(Uint8Array.of(2 + parity), point.subarray(1, 33));
  const hybrid = concatBytes(Uint8Array.of(6 + parity), point.subarray(1));
  for (const bits of [compressed, hybrid]) {
    const spki = ecSpki(oids.p256, bits);
    t.ok(
      createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' }),
      'OpenSSL reads it',
    );
    t.throws(() => importPublicKey(spki), invalid);
  }
});

t.test('curves that are not known, or not named, are refused', async (t) => {
  const p521 = generateKeyPairSync('ec', { namedCurve: 'P-521' });
  t.throws(() => importPublicKey(spkiOf(p521.publicKey)), unsupported);
  const explicit = generateKeyPairSync('ec', { namedCurve: 'P-256', paramEncoding: 'explicit' });
  t.throws(() => importPublicKey(spkiOf(explicit.publicKey)), unsupported);
  const bare = derSequence(derSequence(derOid(oids.ecPublicKey)), derBitString(new Uint8Array(65)));
  t.throws(() => importPublicKey(bare), unsupported);
});

t.test('kinds of keys that are not known are refused', async (t) => {
  for (const type of ['ed448', 'x25519', 'rsa-pss', 'dsa'] as const) {
    const { publicKey } = pairOf(type);
    t.throws(() => importPublicKey(spkiOf(publicKey)), unsupported, type);
  }
});

function pairOf(type: 'ed448' | 'x25519' | 'rsa-pss' | 'dsa') {
  if (type === 'rsa-pss') return generateKeyPairSync('rsa-pss', { modulusLength: 2048 });
  if (type === 'dsa')
    return generateKeyPairSync('dsa', { modulusLength: 1024, divisorLength: 160 });
  return type === 'ed448' ? generateKeyPairSync('ed448') : generateKeyPairSync('x25519');
}

t.test('RSA is bounded on both sides', async (t) => {
  const [min, max] = [BigInt(limits.rsaBitsMin), BigInt(limits.rsaBitsMax)];
  t.equal(importPublicKey(rsaOf(min)).kind, 'RSA');
  t.equal(importPublicKey(rsaOf(max)).kind, 'RSA');
  for (const spki of [rsaOf(min - 1n), rsaOf(max + 1n), rsaOf(1n), rsaOf(20_000n)]) {
    t.throws(() => importPublicKey(spki), invalid);
  }
  t.throws(() => importPublicKey(rsaOf(min, 65537n, 0n)), invalid, 'even modulus');
  for (const exponent of [0n, 1n, 2n, 65536n, 2n ** 32n + 1n]) {
    t.throws(() => importPublicKey(rsaOf(min, exponent)), invalid, `exponent ${exponent}`);
  }
  t.ok(importPublicKey(rsaOf(min, 3n)));
});

t.test('an Ed25519 key of small order is refused', async (t) => {
  const head = '302a300506032b6570032100';
  for (const point of [
    '0100000000000000000000000000000000000000000000000000000000000000',
    '0000000000000000000000000000000000000000000000000000000000000000',
    'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
    'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    '0200000000000000000000000000000000000000000000000000000000000000',
  ]) {
    t.throws(() => importPublicKey(fromHex(head + point)!), invalid, point);
  }
});

t.test('bytes around a key, or a key cut short, are refused', async (t) => {
  const { spki } = ecKey();
  for (const wrong of [
    new Uint8Array(0),
    spki.subarray(0, -1),
    concatBytes(spki, Uint8Array.of(0)),
    new Uint8Array(3000),
  ]) {
    t.throws(() => importPublicKey(wrong), invalid);
  }
  const ed25519WithNull = derSequence(
    derSequence(derOid(oids.ed25519), derNull()),
    derBitString(publicKeyBits(ed25519Key().publicKey)),
  );
  t.throws(() => importPublicKey(ed25519WithNull), invalid);
});

t.test('a look-alike of an imported key is a mistake of the program', async (t) => {
  const { publicKey } = ecKey();
  const fake = { kind: publicKey.kind, spki: publicKey.spki, fingerprint: publicKey.fingerprint };
  t.throws(() => verifyJose('ES256', fake, utf8('m'), new Uint8Array(64)), TypeError);
});
