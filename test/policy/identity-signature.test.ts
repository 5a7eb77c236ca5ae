import { generateKeyPairSync, sign } from 'node:crypto';
import t from 'tap';
import { concatBytes, utf8 } from '#base';
import { SharedStart, derToRaw, importPublicKey, parseCertificate, rawToDer } from '#crypto';
import { ChannelConfig, buildGenesisBlock } from '#policy';
import { testNetwork } from './test-channel.ts';
import type { TestOrg } from './test-channel.ts';

const network = await testNetwork(2);
const [org1, org2] = network.orgs as [TestOrg, TestOrg];
const config = ChannelConfig.fromBlock(buildGenesisBlock(network.spec));
const invalid = { code: 'POLICY_IDENTITY_INVALID' };

t.test('the mirrored signature of a certificate does not make a second identity', async (t) => {
  const { der, signature } = org1.peer.certificate;
  const order = BigInt('0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551');
  const raw = derToRaw(signature, 32);
  const s = BigInt(`0x${Buffer.from(raw.subarray(32)).toString('hex')}`);
  const high = Buffer.from((order - s).toString(16).padStart(64, '0'), 'hex');
  const mirrored = rawToDer(concatBytes(raw.subarray(0, 32), high));
  const twin = replaceSignature(der, signature, mirrored);
  t.notSame(twin, der);
  t.ok(parseCertificate(twin));
  const pem = `-----BEGIN CERTIFICATE-----\n${Buffer.from(twin).toString('base64')}\n-----END CERTIFICATE-----\n`;
  const identity = config.identity(org1.peer.serialized('Org1MSP', pem));
  t.strictSame(identity.certificate.der, der);
});

t.test('a signature verifies under its own identity and data only', async (t) => {
  const data = utf8('data');
  const identity = config.identity(org1.peer.serialized('Org1MSP'));
  const signature = org1.peer.sign(data);
  t.ok(config.verifySignature(identity, data, signature));
  t.notOk(config.verifySignature(identity, utf8('other'), signature));
  t.notOk(config.verifySignature(identity, data, org2.peer.sign(data)));
  t.notOk(config.verifySignature(identity, data, new Uint8Array(0)));
});

t.test('a signature over a start that others share is good with that start only', async (t) => {
  const identity = config.identity(org1.peer.serialized('Org1MSP'));
  const rest = utf8('rest');
  for (const startBytes of [10, 5_000, 20_000, 70_000]) {
    const bytes = new Uint8Array(startBytes).fill(7);
    const start = new SharedStart(bytes);
    const signature = org1.peer.sign(concatBytes(bytes, rest));
    // Twice each: what is remembered must say the same.
    for (const round of [1, 2]) {
      const says = (data: Uint8Array, by = identity, from?: SharedStart) =>
        config.verifySignature(by, data, signature, from);
      t.ok(says(rest, identity, start), `${startBytes} bytes, round ${round}`);
      t.ok(says(rest, identity, new SharedStart(bytes.slice())), 'whoever holds the bytes');
      t.ok(says(concatBytes(bytes, rest)), 'in one piece');
      t.notOk(says(utf8('other'), identity, start));
      t.notOk(says(rest, identity, new SharedStart(bytes.subarray(1))));
      t.notOk(says(rest));
      t.notOk(says(rest, config.identity(org2.peer.serialized('Org2MSP')), start));
    }
    t.ok(config.verifySignature(identity, rest, org1.peer.sign(concatBytes(bytes, rest)), start));
  }
});

t.test('what follows the numbers of a signature does not matter, as in Go', async (t) => {
  const data = utf8('data');
  const identity = config.identity(org1.peer.serialized('Org1MSP'));
  const signature = org1.peer.sign(data);
  const inner = signature.subarray(2);
  const long = new Uint8Array(200 - inner.length);
  for (const accepted of [
    concatBytes(signature, utf8('tail')),
    concatBytes(Uint8Array.of(0x30, inner.length + 2), inner, Uint8Array.of(5, 0)),
    concatBytes(Uint8Array.of(0x30, 0x81, 200), inner, long),
  ]) {
    t.ok(config.verifySignature(identity, data, accepted));
  }
  for (const refused of [
    concatBytes(utf8('x'), signature),
    concatBytes(Uint8Array.of(0x30, 0x81, inner.length), inner),
    concatBytes(Uint8Array.of(0x30, 0x82, 0, 200), inner, long),
    concatBytes(Uint8Array.of(0x30, inner.length + 1), inner),
    concatBytes(Uint8Array.of(0x30, inner.length - 1), inner),
    concatBytes(Uint8Array.of(0x31, inner.length), inner),
    Uint8Array.of(0x30, 0x80),
    Uint8Array.of(0x30),
  ]) {
    t.notOk(config.verifySignature(identity, data, refused));
  }
});

t.test('a P-384 key signs too', async (t) => {
  const peer = await org1.ca.issue('p384', { units: ['peer'], curve: 'P-384' });
  const identity = config.identity(peer.serialized('Org1MSP'));
  t.ok(config.verifySignature(identity, utf8('data'), peer.sign(utf8('data'))));
});

t.test('keys that no stock peer reads make a client, but no identity of a block', async (t) => {
  const keyPair = generateKeyPairSync('ed25519');
  const client = await org1.ca.issue('ed', { units: ['client'], keyPair });
  const found = config.identityOfCertificate(
    client.certificate.der,
    new Date('2024-06-01T00:00:00Z'),
  );
  t.equal(found.subjectId, 'Org1MSP::CN=ed,OU=client');
  const signature = new Uint8Array(sign(null, utf8('data'), keyPair.privateKey));
  t.notOk(config.verifySignature(found, utf8('data'), signature));
  t.throws(() => config.identity(client.serialized('Org1MSP')), invalid);
  t.equal(importPublicKey(found.certificate.publicKey.spki).kind, 'Ed25519');
});

/** The certificate with another signature, lengths corrected. */
function replaceSignature(der: Uint8Array, before: Uint8Array, after: Uint8Array): Uint8Array {
  const head = der.subarray(4, der.length - before.length - 3);
  const tail = concatBytes(Uint8Array.of(3, after.length + 1, 0), after);
  const length = head.length + tail.length;
  return concatBytes(Uint8Array.of(0x30, 0x82, length >> 8, length & 0xff), head, tail);
}
