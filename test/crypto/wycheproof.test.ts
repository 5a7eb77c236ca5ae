import { readFileSync } from 'node:fs';
import t from 'tap';
import { fromHex } from '#base';
import {
  derToRaw,
  importPublicKey,
  isLowS,
  verifyFabric,
  verifyFabricAsStockPeer,
  verifyJose,
} from '#crypto';
import type { JoseAlgorithm, PublicKey } from '#crypto';

interface Vectors {
  groups: {
    key: string;
    cases: [id: number, message: string, signature: string, result: string][];
  }[];
}

type Verify = (key: PublicKey, message: Uint8Array, signature: Uint8Array) => boolean;

function load(name: string): Vectors {
  const file = new URL(`../vectors/wycheproof/${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(file, 'utf8')) as Vectors;
}

/** Ids of the cases where we and the vectors disagree. `acceptable` ones may go either way. */
function disagreements(name: string, verify: Verify, wanted: (sig: Uint8Array) => boolean) {
  const wrong: number[] = [];
  let seen = 0;
  for (const group of load(name).groups) {
    const key = importPublicKey(fromHex(group.key)!);
    for (const [id, message, signature, result] of group.cases) {
      if (result === 'acceptable') continue;
      const bytes = fromHex(signature)!;
      const expected = result === 'valid' && wanted(bytes);
      if (verify(key, fromHex(message)!, bytes) !== expected) wrong.push(id);
      seen += 1;
    }
  }
  return { wrong, seen };
}

const joseFiles: [file: string, algorithm: JoseAlgorithm, casesMin: number][] = [
  ['ecdsa_secp256r1_sha256_p1363', 'ES256', 250],
  ['ecdsa_secp384r1_sha384_p1363', 'ES384', 250],
  ['ecdsa_secp256k1_sha256_p1363', 'ES256K', 250],
  ['ed25519', 'EdDSA', 140],
  ['rsa_pss_2048_sha256_mgf1_32', 'PS256', 100],
  ['rsa_signature_2048_sha256', 'RS256', 250],
];

for (const [file, algorithm, casesMin] of joseFiles) {
  t.test(`002-24 ${algorithm} agrees with every Wycheproof vector`, async (t) => {
    const verify: Verify = (key, message, sig) => verifyJose(algorithm, key, message, sig);
    const { wrong, seen } = disagreements(file, verify, () => true);
    t.same(wrong, []);
    t.ok(seen >= casesMin, `${seen} cases`);
  });
}

t.test('a Fabric signature is right where Wycheproof says valid and s is low', async (t) => {
  const isLow = (der: Uint8Array) => isLowS('P-256', derToRaw(der, 32));
  for (const verify of [verifyFabric, verifyFabricAsStockPeer]) {
    const { wrong, seen } = disagreements('ecdsa_secp256r1_sha256', verify, isLow);
    t.same(wrong, []);
    t.ok(seen > 450, `${seen} cases`);
  }
});
