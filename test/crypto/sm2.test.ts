import { createHash } from 'node:crypto';
import { sm2, sm3 as sm3Oracle } from 'sm-crypto-v2';
import t from 'tap';
import { fromHex, limits, toHex, utf8 } from '#base';
import { importPublicKey, sm2PublicKeyOf, sm2Sign, sm3, verifyJose } from '#crypto';
import { oids } from '../../crypto/oids.ts';
import { Sm2Point, Sm2PublicKey } from '../../crypto/sm2-key.ts';
import { sm2Verify } from '../../crypto/sm2.ts';
import { ecSpki } from '../../crypto/spki.ts';
import { seededRandom } from './fuzzing.ts';

const order = 0xfffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123n;

t.test('the example of GB/T 32918.5-2017 annex A.2 verifies', async (t) => {
  const key = Sm2PublicKey.fromBytes(
    fromHex(
      '0409f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020' +
        'ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13',
    )!,
  );
  const privateKey = fromHex('3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8')!;
  t.equal(
    toHex(sm2PublicKeyOf(privateKey)).slice(2, 66),
    '09f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020',
  );
  const signature = fromHex(
    'f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3' +
      'b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa',
  )!;
  t.ok(sm2Verify(key, utf8('message digest'), signature));
  t.notOk(sm2Verify(key, utf8('message digest'), signature, 'ALICE123@YAHOO.COM'));
});

t.test('SM3 of "abc" is that of GB/T 32905 annex A.1', async (t) => {
  t.equal(
    toHex(sm3(utf8('abc'))),
    '66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0',
  );
  t.equal(toHex(sm3(utf8('a'), utf8('bc'))), sm3Oracle(utf8('abc')));
});

t.test('sm-crypto-v2 and we verify each other', async (t) => {
  const random = seededRandom(1);
  for (let round = 0; round < 12; round += 1) {
    const message = Uint8Array.from({ length: round * 17 }, () => Math.floor(random() * 256));
    const userId = round % 2 === 0 ? '1234567812345678' : `user ${round} 用户`;
    const pair = sm2.generateKeyPairHex();
    const privateKey = fromHex(pair.privateKey)!;
    t.equal(toHex(sm2PublicKeyOf(privateKey)), pair.publicKey);
    const key = Sm2PublicKey.fromBytes(fromHex(pair.publicKey)!);

    const theirs = sm2.doSignature(message, pair.privateKey, { hash: true, userId });
    t.ok(sm2Verify(key, message, fromHex(theirs)!, userId), 'theirs by us');
    const ours = toHex(sm2Sign(privateKey, message, userId));
    t.ok(sm2.doVerifySignature(message, ours, pair.publicKey, { hash: true, userId }), 'ours');
  }
});

t.test('a signature with r or s out of range is refused', async (t) => {
  const privateKey = new Uint8Array(32).fill(9);
  const key = Sm2PublicKey.fromBytes(sm2PublicKeyOf(privateKey));
  const message = utf8('m');
  const good = toHex(sm2Sign(privateKey, message));
  const [r, s] = [good.slice(0, 64), good.slice(64)];
  const hex = (number: bigint) => number.toString(16).padStart(64, '0');
  t.ok(sm2Verify(key, message, fromHex(r + s)!));
  const wrong = [
    r + hex(0n),
    hex(0n) + s,
    hex(order) + s,
    r + hex(order),
    r + hex(order - BigInt(`0x${r}`)),
    hex(BigInt(`0x${r}`) ^ 1n) + s,
    'ff'.repeat(64),
    r,
    '',
  ];
  for (const signature of wrong) t.notOk(sm2Verify(key, message, fromHex(signature)!), signature);
});

t.test('signing is deterministic, and differs by message and key', async (t) => {
  const one = new Uint8Array(32).fill(1);
  const two = new Uint8Array(32).fill(2);
  t.same(sm2Sign(one, utf8('a')), sm2Sign(one, utf8('a')));
  const nonceShown = new Set(
    [sm2Sign(one, utf8('a')), sm2Sign(one, utf8('b')), sm2Sign(two, utf8('a'))].map((signature) =>
      toHex(signature.subarray(0, 32)),
    ),
  );
  t.equal(nonceShown.size, 3);
});

t.test('a private key out of range is refused', async (t) => {
  const bytes = (number: bigint) => fromHex(number.toString(16).padStart(64, '0'))!;
  for (const key of [bytes(0n), bytes(order - 1n), bytes(order), new Uint8Array(31).fill(1)]) {
    t.throws(() => sm2Sign(key, utf8('m')), { code: 'CRYPTO_KEY_INVALID' });
  }
  t.ok(sm2Sign(bytes(order - 2n), utf8('m')));
});

t.test('a user id longer than its length field is refused', async (t) => {
  const attempt = (length: number) => () =>
    sm2Sign(new Uint8Array(32).fill(1), utf8('m'), 'i'.repeat(length));
  t.ok(attempt(8191)());
  t.throws(attempt(8192), { code: 'CRYPTO_KEY_INVALID' });
});

t.test('a key answers alike before and after it gets its table', async (t) => {
  const keyOf = (fill: number) => {
    const privateKey = new Uint8Array(32).fill(fill);
    return { privateKey, key: importPublicKey(ecSpki(oids.sm2, sm2PublicKeyOf(privateKey))) };
  };
  const message = createHash('sha256').update('m').digest();
  const { privateKey, key } = keyOf(3);
  const good = sm2Sign(privateKey, message);
  const bad = Uint8Array.from(good);
  bad[40]! ^= 1;
  for (let use = 0; use < limits.sm2TableAfterUses + 4; use += 1) {
    t.ok(verifyJose('SM2', key, message, good));
    t.notOk(verifyJose('SM2', key, message, bad));
  }
});

t.test('more keys in use than there are tables answer as before', async (t) => {
  const keys = Array.from({ length: limits.sm2TablesMax + 4 }, (_, at) => {
    const bytes = sm2PublicKeyOf(new Uint8Array(32).fill(at + 1));
    return { key: Sm2PublicKey.fromBytes(bytes), point: Sm2Point.fromBytes(bytes) };
  });
  for (const { key, point } of [...keys, ...keys.slice(0, 8)]) {
    for (let use = 0; use < limits.sm2TableAfterUses; use += 1) key.combine(1n, 1n);
    t.ok(key.combine(3n, 5n).equals(Sm2Point.BASE.multiply(3n).add(point.multiply(5n))));
  }
});
