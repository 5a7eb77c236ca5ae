import { sign } from 'node:crypto';
import t from 'tap';
import { concatBytes, utf8 } from '#base';
import { derToRaw, normaliseEcdsa, verifyFabric, verifyFabricAsStockPeer } from '#crypto';
import { derElement, derInteger, derSequence } from '../../crypto/der-writer.ts';
import { ecKey, ed25519Key, rsaKey } from './keys.ts';

const message = utf8('proposal response payload and endorser');
const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const key = ecKey('P-256');
const raw = derToRaw(sign('sha256', message, key.privateKey), 32);
const low = normaliseEcdsa(raw, 'P-256');
const [r, s] = numbersOf(derToRaw(low, 32));

function numbersOf(signature: Uint8Array): [r: bigint, s: bigint] {
  const hex = Buffer.from(signature).toString('hex');
  return [BigInt(`0x${hex.slice(0, 64)}`), BigInt(`0x${hex.slice(64)}`)];
}

t.test('a low-S signature verifies and a high-S one does not', async (t) => {
  t.ok(verifyFabric(key.publicKey, message, low));
  t.notOk(verifyFabric(key.publicKey, utf8('another'), low));
  t.notOk(verifyFabric(ecKey().publicKey, message, low));
  const high = derSequence(derInteger(r), derInteger(order - s));
  t.notOk(verifyFabric(key.publicKey, message, high));
  t.notOk(verifyFabricAsStockPeer(key.publicKey, message, high));
});

t.test('P-384 signs SHA-256 as Fabric has it, not SHA-384', async (t) => {
  const { privateKey, publicKey } = ecKey('P-384');
  const signed = (digest: string) =>
    normaliseEcdsa(derToRaw(sign(digest, message, privateKey), 48), 'P-384');
  t.ok(verifyFabric(publicKey, message, signed('sha256')));
  t.notOk(verifyFabric(publicKey, message, signed('sha384')));
});

t.test('encodings that are no strict DER are refused', async (t) => {
  const padded = derElement(0x02, Uint8Array.of(0), derInteger(r).subarray(2));
  const wrong: Record<string, Uint8Array> = {
    'padded r': derSequence(
      r >> 255n === 0n ? padded : derElement(0x02, Uint8Array.of(0, 0)),
      derInteger(s),
    ),
    'long length': concatBytes(Uint8Array.of(0x30, 0x81, low.length - 2), low.subarray(2)),
    'indefinite length': concatBytes(Uint8Array.of(0x30, 0x80), low.subarray(2), new Uint8Array(2)),
    'zero s': derSequence(derInteger(r), derInteger(0n)),
    'negative s': derSequence(derInteger(r), Uint8Array.of(2, 1, 0x80)),
    'oversized r': derSequence(derInteger(r + (1n << 256n)), derInteger(s)),
    'one number': derSequence(derInteger(r)),
    'raw r and s': raw,
    'cut short': low.subarray(0, -1),
    empty: new Uint8Array(0),
    'a set': derElement(0x31, low.subarray(2)),
  };
  for (const [name, signature] of Object.entries(wrong)) {
    t.equal(verifyFabric(key.publicKey, message, signature), false, name);
    t.equal(verifyFabricAsStockPeer(key.publicKey, message, signature), false, `${name}, stock`);
  }
});

t.test(
  'bytes that Go overlooks pass as for a stock peer, and are refused by the zone',
  async (t) => {
    const trailing = Uint8Array.of(5, 0);
    const overlooked = {
      'after the sequence': concatBytes(low, Uint8Array.of(0xde, 0xad)),
      'after s': derSequence(derInteger(r), derInteger(s), trailing),
    };
    for (const [name, signature] of Object.entries(overlooked)) {
      t.equal(verifyFabricAsStockPeer(key.publicKey, message, signature), true, name);
      t.equal(verifyFabric(key.publicKey, message, signature), false, name);
    }
  },
);

t.test('a key that Fabric does not sign with is refused by name', async (t) => {
  for (const other of [ecKey('secp256k1'), ed25519Key(), rsaKey()]) {
    for (const verify of [verifyFabric, verifyFabricAsStockPeer]) {
      t.throws(() => verify(other.publicKey, message, low), { code: 'CRYPTO_ALGORITHM_MISMATCH' });
    }
  }
});
