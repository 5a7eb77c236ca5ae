import { constants, sign } from 'node:crypto';
import t from 'tap';
import { utf8 } from '#base';
import {
  importPublicKey,
  oids,
  parsePem,
  rawToDer,
  sm2PublicKeyOf,
  sm2Sign,
  verifyIssued,
  verifySigned,
} from '#crypto';
import type { PublicKey } from '#crypto';
import { derExplicit, derInteger, derNull, derOid, derSequence } from '../../crypto/der-writer.ts';
import { ecSpki } from '../../crypto/spki.ts';
import { ecKey, ed25519Key, rsaKey } from './keys.ts';

const tbs = utf8('the part that is signed');
const [p256, p384, ed25519, rsa] = [ecKey(), ecKey('P-384'), ed25519Key(), rsaKey()];
const sm2PrivateKey = new Uint8Array(32).fill(3);
const sm2Key = importPublicKey(ecSpki(oids.sm2, sm2PublicKeyOf(sm2PrivateKey)));

/** RSASSA-PSS-params of RFC 4055 section 3.1. */
function pssParameters(digest: string, maskDigest: string, saltLength: number): Uint8Array {
  const hash = derSequence(derOid(digest), derNull());
  const mask = derSequence(derOid(oids.mgf1), derSequence(derOid(maskDigest), derNull()));
  const salt = derInteger(BigInt(saltLength));
  return derSequence(derExplicit(0, hash), derExplicit(1, mask), derExplicit(2, salt));
}

function signPss(digest: string, saltLength: number): Uint8Array {
  const padding = constants.RSA_PKCS1_PSS_PADDING;
  return sign(digest, tbs, { key: rsa.privateKey, padding, saltLength });
}

interface Row {
  oid: string;
  parameters?: Uint8Array;
  key: PublicKey;
  signature: Uint8Array;
}

const rows: Row[] = [
  {
    oid: oids.ecdsaWithSha256,
    key: p256.publicKey,
    signature: sign('sha256', tbs, p256.privateKey),
  },
  {
    oid: oids.ecdsaWithSha384,
    key: p384.publicKey,
    signature: sign('sha384', tbs, p384.privateKey),
  },
  {
    oid: oids.ecdsaWithSha512,
    key: p384.publicKey,
    signature: sign('sha512', tbs, p384.privateKey),
  },
  { oid: oids.ed25519, key: ed25519.publicKey, signature: sign(null, tbs, ed25519.privateKey) },
  { oid: oids.sm2WithSm3, key: sm2Key, signature: rawToDer(sm2Sign(sm2PrivateKey, tbs)) },
  ...(['sha256', 'sha384', 'sha512'] as const).flatMap((digest, at): Row[] => [
    {
      oid: [oids.sha256WithRsa, oids.sha384WithRsa, oids.sha512WithRsa][at]!,
      parameters: derNull(),
      key: rsa.publicKey,
      signature: sign(digest, tbs, rsa.privateKey),
    },
    {
      oid: oids.rsassaPss,
      parameters: pssParameters(oids[digest], oids[digest], 32 + 16 * at),
      key: rsa.publicKey,
      signature: signPss(digest, 32 + 16 * at),
    },
  ]),
];

const verifyRow = ({ oid, parameters, key, signature }: Row, message = tbs) =>
  verifySigned({ tbs: message, signatureAlgorithm: { oid, parameters }, signature }, key);

t.test('every algorithm of certificates verifies, and not over other bytes', async (t) => {
  for (const [at, row] of rows.entries()) {
    t.equal(verifyRow(row), true, `${at} ${row.oid}`);
    t.equal(verifyRow(row, utf8('another part')), false, `${at} ${row.oid}, other bytes`);
    t.equal(verifyRow({ ...row, signature: row.signature.slice(1) }), false, 'cut');
    t.equal(verifyRow({ ...row, signature: new Uint8Array(0) }), false, 'empty');
  }
});

t.test('no algorithm verifies with the signature or the key of another', async (t) => {
  for (const row of rows) {
    for (const other of rows) {
      if (other === row || other.oid === row.oid) continue;
      if (row.key !== other.key) t.equal(verifyRow({ ...row, key: other.key }), false);
      t.equal(verifyRow({ ...row, signature: other.signature }), false);
    }
  }
});

t.test('unknown and weak algorithms verify nothing', async (t) => {
  const sha1 = {
    oid: '1.2.840.113549.1.1.5',
    parameters: derNull(),
    key: rsa.publicKey,
    signature: sign('sha1', tbs, rsa.privateKey),
  };
  t.equal(verifyRow(sha1), false, 'SHA-1 with RSA');
  const ecdsaSha1 = { ...sha1, oid: '1.2.840.10045.4.1', key: p256.publicKey };
  t.equal(verifyRow({ ...ecdsaSha1, signature: sign('sha1', tbs, p256.privateKey) }), false);
  t.equal(verifyRow({ ...sha1, oid: 'toString' }), false);
});

t.test('parameters that the algorithm does not have make it another', async (t) => {
  const strange = derSequence(derInteger(1n));
  for (const row of rows) t.equal(verifyRow({ ...row, parameters: strange }), false, row.oid);
  const ed = rows.find((row) => row.oid === oids.ed25519)!;
  t.equal(verifyRow({ ...ed, parameters: derNull() }), false, 'NULL with Ed25519');
});

t.test('PSS has one digest for message and mask, and a salt of its length', async (t) => {
  const pss = { oid: oids.rsassaPss, key: rsa.publicKey };
  const { sha256, sha384 } = oids;
  t.equal(
    verifyRow({
      ...pss,
      parameters: pssParameters(sha256, sha256, 20),
      signature: signPss('sha256', 20),
    }),
    false,
  );
  t.equal(
    verifyRow({
      ...pss,
      parameters: pssParameters(sha256, sha384, 32),
      signature: signPss('sha256', 32),
    }),
    false,
  );
  t.equal(
    verifyRow({
      ...pss,
      parameters: pssParameters(sha384, sha384, 48),
      signature: signPss('sha256', 32),
    }),
    false,
  );
  t.equal(verifyRow({ ...pss, signature: signPss('sha256', 32) }), false, 'no parameters');
});

t.test('a certificate that OpenSSL 3.0 signed with SM2 vouches for itself', async (t) => {
  const certificate = parsePem(`-----BEGIN CERTIFICATE-----
MIIBcTCCARegAwIBAgIUTixapVKDvJim1Sbbx30UJ2X2JmswCgYIKoEcz1UBg3Uw
DjEMMAoGA1UEAwwDc20yMB4XDTI2MTEyMTA5MzEzN1oXDTI2MTIyMTA5MzEzN1ow
DjEMMAoGA1UEAwwDc20yMFkwEwYHKoZIzj0CAQYIKoEcz1UBgi0DQgAEEAG3YOz9
XEIKlW2vzNUVFHdy7t9Js6ZbWtPquVDpaXqdLdzdUS6mUU6cz/FwPp4r1+L5wc+z
bdLxuYjkt/AR5KNTMFEwHQYDVR0OBBYEFH5TdxEbBTqpgb0QIGIEkdAT5Pv7MB8G
A1UdIwQYMBaAFH5TdxEbBTqpgb0QIGIEkdAT5Pv7MA8GA1UdEwEB/wQFMAMBAf8w
CgYIKoEcz1UBg3UDSAAwRQIgD7QScGu02GMdPGa9eFQ6g8ndKj6rTNH/SA1KwNzk
9csCIQDwyVHeeG25VusIYuOXbAJhLfJ6nO2/k9DqY4HJ6fdLag==
-----END CERTIFICATE-----`);
  t.equal(certificate.publicKey.kind, 'SM2');
  t.equal(certificate.signatureAlgorithm.oid, oids.sm2WithSm3);
  t.ok(verifyIssued(certificate, certificate));
});
