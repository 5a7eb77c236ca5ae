import { sign } from 'node:crypto';
import t from 'tap';
import { concatBytes, fromHex, utf8 } from '#base';
import { derToRaw, isLowS, normaliseEcdsa, rawToDer, toLowS } from '#crypto';
import type { EcdsaCurve } from '#crypto';
import { ecKey } from './keys.ts';

const orders: Record<EcdsaCurve, [fieldBytes: number, order: bigint]> = {
  'P-256': [32, 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n],
  'P-384': [
    48,
    0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
  ],
  secp256k1: [32, 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n],
};
const curves = Object.keys(orders) as EcdsaCurve[];

function rawOf(curve: EcdsaCurve, r: bigint, s: bigint): Uint8Array {
  const digits = 2 * orders[curve][0];
  return fromHex(r.toString(16).padStart(digits, '0') + s.toString(16).padStart(digits, '0'))!;
}

function sOf(raw: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(raw.subarray(raw.length / 2)).toString('hex')}`);
}

t.test('what OpenSSL signs survives the way from DER to r‖s and back', async (t) => {
  for (const curve of curves) {
    const { privateKey } = ecKey(curve);
    for (let round = 0; round < 60; round += 1) {
      const message = utf8(`${curve} ${round}`);
      const der = new Uint8Array(sign('sha256', message, privateKey));
      const raw = derToRaw(der, orders[curve][0]);
      t.same(rawToDer(raw), der);
    }
  }
});

t.test('small numbers and set top bits are encoded minimally', async (t) => {
  const raw = rawOf('P-256', 1n, 0x80n);
  t.same(rawToDer(raw), fromHex('3007020101020200 80'.replaceAll(' ', '')));
  t.same(derToRaw(rawToDer(raw), 32), raw);
});

t.test('s at, above and below half the order is told apart exactly', async (t) => {
  for (const curve of curves) {
    const [, order] = orders[curve];
    const half = order / 2n;
    t.equal(isLowS(curve, rawOf(curve, 1n, half)), true, curve);
    t.equal(isLowS(curve, rawOf(curve, 1n, half + 1n)), false, curve);
    t.equal(isLowS(curve, new Uint8Array(7)), false, 'length');
    for (const s of [1n, half, half + 1n, order - 1n]) {
      const low = toLowS(curve, rawOf(curve, 5n, s));
      t.equal(sOf(low), s <= half ? s : order - s, `${curve} ${s}`);
    }
  }
});

t.test('normalising gives strict DER with low s, and refuses what is no signature', async (t) => {
  for (const curve of curves) {
    const [fieldBytes, order] = orders[curve];
    const der = normaliseEcdsa(rawOf(curve, 7n, order - 3n), curve);
    t.same(derToRaw(der, fieldBytes), rawOf(curve, 7n, 3n));
    const wrong = [
      rawOf(curve, 0n, 1n),
      rawOf(curve, 1n, 0n),
      rawOf(curve, order, 1n),
      rawOf(curve, 1n, order),
      concatBytes(rawOf(curve, 1n, 1n), Uint8Array.of(0)),
    ];
    for (const raw of wrong) {
      t.throws(() => normaliseEcdsa(raw, curve), { code: 'CRYPTO_SIGNATURE_MALFORMED' });
    }
  }
});

t.test('DER that is not strict is refused by name', async (t) => {
  for (const hex of [
    '',
    '3006020100020101',
    '3006020181020101',
    '300702020001020101',
    '30060201010201',
    '300602010102010100',
    '30080201010201010500',
    '308106020101020101',
    '3106020101020101',
    '3006030101020101',
  ]) {
    t.throws(() => derToRaw(fromHex(hex)!, 32), { code: 'CRYPTO_SIGNATURE_MALFORMED' }, hex);
  }
  for (const length of [0, 63, 65, 95, 97]) {
    t.throws(() => rawToDer(new Uint8Array(length)), { code: 'CRYPTO_SIGNATURE_MALFORMED' });
  }
});
