import t from 'tap';
import { textOf, utf8 } from '#base';
import {
  buildCrl,
  buildCsr,
  certificatePem,
  derToRaw,
  importPublicKey,
  oids,
  parseCertificate,
  parseCrl,
  parseCsr,
  parsePemAll,
  verifyChain,
  verifyFabric,
  verifyFabricAsStockPeer,
} from '#crypto';
import { during, makeCa, makeLeaf, notAfter, notBefore } from './certificates.ts';
import { fuzz } from './fuzzing.ts';
import { ecKey, ed25519Key, rsaKey } from './keys.ts';

const ca = await makeCa('ca');
const leaf = await makeLeaf(ca, {
  extendedKeyUsages: [oids.clientAuth],
  dnsNames: ['a.example'],
  ipAddresses: ['::1', '10.0.0.1'],
});
const key = ecKey();
const csr = await buildCsr({ subject: { commonName: 'node' }, publicKeySpki: key.spki }, key.sign);
const crl = await buildCrl(
  {
    issuer: ca.certificate,
    crlNumber: 1n,
    thisUpdate: notBefore,
    nextUpdate: notAfter,
    revoked: [{ serial: 77n, at: during }],
  },
  ca.key.sign,
);

const message = utf8('m');
const signature = await key.sign(message);
const roots = [ca.certificate];
const targets: [name: string, parse: (bytes: Uint8Array) => unknown, valid: Uint8Array][] = [
  ['certificate', parseCertificate, leaf.der],
  ['chain', (der) => verifyChain(parseCertificate(der), { roots, at: during }), leaf.der],
  ['revocation list', parseCrl, crl],
  ['certificate request', parseCsr, csr],
  ['elliptic key', importPublicKey, key.spki],
  ['Ed25519 key', importPublicKey, ed25519Key().spki],
  ['RSA key', importPublicKey, rsaKey().spki],
  [
    'PEM',
    (bytes) => parsePemAll(textOf(bytes.map((octet) => octet & 0x7f))),
    utf8(certificatePem(leaf.der)),
  ],
  ['signature', (der) => derToRaw(der, 32), signature],
];

for (const [at, [name, parse, valid]] of targets.entries()) {
  t.test(`a mutated ${name} ends in a Fault or a value, nothing else`, async (t) => {
    const { escaped, refused } = fuzz(parse, valid, { seed: at + 1, rounds: 1_500 });
    t.same(escaped, []);
    t.ok(refused > 500, `${refused} were refused`);
  });
}

t.test('no mutated certificate passes for the one that was signed', async (t) => {
  const passed = fuzz(
    (der) => {
      const { tbs } = verifyChain(parseCertificate(der), { roots, at: during })[0]!;
      if (Buffer.compare(tbs, leaf.tbs) !== 0) throw new Error('another content was believed');
    },
    leaf.der,
    { seed: 99, rounds: 1_500 },
  );
  t.same(passed.escaped, []);
});

t.test('verification answers a mutated signature, and never throws', async (t) => {
  for (const verify of [verifyFabric, verifyFabricAsStockPeer]) {
    const answered = fuzz((der) => verify(key.publicKey, message, der), signature, {
      seed: 7,
      rounds: 1_500,
    });
    t.same(answered, { escaped: [], refused: 0, accepted: 1_500 });
  }
});
