import { X509Certificate } from 'node:crypto';
import { rootCertificates } from 'node:tls';
import t from 'tap';
import { equalBytes, limits, toHex } from '#base';
import {
  buildCertificate,
  certificatePem,
  derToRaw,
  isLowS,
  oids,
  parseCertificate,
  parsePem,
  sha256,
  verifyIssued,
} from '#crypto';
import type { CertificateFields } from '#crypto';
import { readSigned } from '../../crypto/signed-object.ts';
import { derOctetString, derSequence } from '../../crypto/der-writer.ts';
import { during, makeCa, makeLeaf, notAfter, notBefore } from './certificates.ts';
import { ecKey, ed25519Key, rsaKey } from './keys.ts';

t.test('a certificate says what it was made to say, for us and for OpenSSL', async (t) => {
  const ca = await makeCa('ca.org1.example', undefined, { ca: { pathLength: 0 } });
  const key = ecKey();
  const leaf = await makeLeaf(ca, {
    subject: {
      commonName: 'peer0, "the first"',
      organizationalUnits: ['peer', 'zone'],
      organization: 'Órg1',
    },
    serial: 2n ** 159n - 1n,
    publicKeySpki: key.spki,
    keyUsages: ['digitalSignature', 'keyEncipherment'],
    extendedKeyUsages: [oids.serverAuth, oids.clientAuth],
    dnsNames: ['manager', 'manager.example.com'],
    ipAddresses: ['127.0.0.1', '::1', '2001:db8::8:800:200c:417a'],
  });
  const oracle = new X509Certificate(leaf.der);
  t.ok(oracle.verify(new X509Certificate(ca.certificate.der).publicKey));
  t.ok(oracle.checkIssued(new X509Certificate(ca.certificate.der)));
  t.equal(oracle.checkHost('manager.example.com'), 'manager.example.com');
  t.equal(oracle.checkIP('2001:db8::8:800:200c:417a'), '2001:db8::8:800:200c:417a');
  t.equal(BigInt(`0x${oracle.serialNumber}`), leaf.serialNumber);
  t.equal(oracle.serialNumber.toLowerCase(), leaf.serialHex);
  t.equal(oracle.ca, false);
  t.same(oracle.keyUsage, [oids.serverAuth, oids.clientAuth]);
  t.same(oracle.publicKey.export({ type: 'spki', format: 'der' }), Buffer.from(key.spki));

  t.equal(leaf.subject.rfc4514, String.raw`CN=peer0\, \"the first\",OU=zone,OU=peer,O=Órg1`);
  t.equal(leaf.subject.commonName, 'peer0, "the first"');
  t.same(leaf.subject.organizationalUnits, ['peer', 'zone']);
  t.equal(leaf.issuer.rfc4514, 'CN=ca.org1.example');
  t.same([...leaf.keyUsage!], ['digitalSignature', 'keyEncipherment']);
  t.same(leaf.extendedKeyUsages, [oids.serverAuth, oids.clientAuth]);
  t.same(leaf.subjectAltNames?.dnsNames, ['manager', 'manager.example.com']);
  t.same(leaf.subjectAltNames?.ipAddresses, ['127.0.0.1', '::1', '2001:db8::8:800:200c:417a']);
  t.same([leaf.notBefore, leaf.notAfter], [notBefore, notAfter]);
  t.same(leaf.authorityKeyId, ca.certificate.subjectKeyId);
  t.equal(leaf.publicKey.fingerprint, key.publicKey.fingerprint);
  t.equal(leaf.isCa, false);
  t.ok(verifyIssued(leaf, ca.certificate));
});

t.test('a CA carries what Fabric demands of one', async (t) => {
  const { certificate, key } = await makeCa('ca', undefined, { ca: { pathLength: 1 } });
  t.equal(certificate.isCa, true);
  t.equal(certificate.pathLength, 1);
  t.same(certificate.subjectKeyId, sha256(key.spki.subarray(-65)));
  t.equal(certificate.extensions.get(oids.basicConstraints)?.critical, true);
  t.equal(certificate.extensions.get(oids.keyUsage)?.critical, true);
  t.equal(certificate.extensions.get(oids.subjectKeyId)?.critical, false);
  t.ok(verifyIssued(certificate, certificate));
  t.ok(new X509Certificate(certificate.der).ca);
});

t.test('no key usages leave the extension out', async (t) => {
  const leaf = await makeLeaf(await makeCa('ca'), { keyUsages: [] });
  t.equal(leaf.keyUsage, undefined);
  t.notOk(leaf.extensions.has(oids.keyUsage));
});

t.test('the signature on a certificate always has low s', async (t) => {
  const ca = await makeCa('ca');
  for (let round = 0; round < 12; round += 1) {
    const leaf = await makeLeaf(ca, { serial: BigInt(round + 1) });
    t.ok(isLowS('P-256', derToRaw(leaf.signature, 32)));
  }
});

t.test('times around 2050 are written in the form RFC 5280 demands', async (t) => {
  const ca = await makeCa('ca');
  for (const [time, tag] of [
    ['1950-01-01T00:00:00Z', 0x17],
    ['2049-12-31T23:59:59Z', 0x17],
    ['2050-01-01T00:00:00Z', 0x18],
    ['9999-12-31T23:59:59Z', 0x18],
  ] as const) {
    const at = new Date(time);
    const leaf = await makeLeaf(ca, { notBefore: at, notAfter: at });
    t.same([leaf.notBefore, leaf.notAfter], [at, at], time);
    t.equal(validityTag(leaf.der), tag, time);
    t.equal(new Date(new X509Certificate(leaf.der).validTo).getTime(), at.getTime(), time);
  }
});

/** The tag of notBefore. */
function validityTag(der: Uint8Array): number | undefined {
  return readSigned(der, (fields) => {
    for (let skipped = 0; skipped < 4; skipped += 1) fields.element();
    const tag = fields.sequence().peekTag();
    while (!fields.atEnd) fields.element();
    return tag;
  }).fields;
}

t.test('certificates for every kind of key are made and read', async (t) => {
  const ca = await makeCa('ca');
  for (const key of [ecKey('P-384'), ecKey('secp256k1'), ed25519Key(), rsaKey()]) {
    const leaf = await makeLeaf(ca, { publicKeySpki: key.spki });
    t.equal(leaf.publicKey.kind, key.publicKey.kind);
    t.ok(verifyIssued(leaf, ca.certificate));
  }
});

t.test('a signer that holds another key is found out', async (t) => {
  const [key, other] = [ecKey(), ecKey()];
  const fields: CertificateFields = {
    subject: { commonName: 'x' },
    issuer: 'self',
    serial: 1n,
    notBefore,
    notAfter,
    publicKeySpki: key.spki,
    keyUsages: [],
  };
  await t.rejects(buildCertificate(fields, other.sign), { code: 'CRYPTO_SIGNATURE_INVALID' });
  const noise = () => Promise.resolve(new Uint8Array(70));
  await t.rejects(buildCertificate(fields, noise), { code: 'CRYPTO_SIGNATURE_INVALID' });
});

t.test('values that no certificate may carry are refused', async (t) => {
  const ca = await makeCa('ca');
  const wrong: Partial<CertificateFields>[] = [
    { serial: 0n },
    { serial: -1n },
    { serial: 2n ** 159n },
    { notBefore: notAfter, notAfter: notBefore },
    { notBefore: new Date(Number.NaN) },
    { subject: { commonName: '' } },
    { subject: { commonName: 'x'.repeat(65) } },
    { subject: { commonName: '\ud800' } },
    { dnsNames: ['exa mple'] },
    { dnsNames: [''] },
    { dnsNames: ['a..b'] },
    { ipAddresses: ['1.2.3'] },
    { ipAddresses: ['fe80::1%eth0'] },
  ];
  for (const changes of wrong) {
    await t.rejects(makeLeaf(ca, changes), { code: 'CRYPTO_SUBJECT_INVALID' });
  }
});

t.test('the roots that Node carries are read as OpenSSL reads them', async (t) => {
  let seen = 0;
  for (const pem of rootCertificates) {
    const oracle = new X509Certificate(pem);
    // Curves and keys that we do not verify with are refused by name; there are few.
    if (oracle.publicKey.asymmetricKeyDetails?.namedCurve === 'secp521r1') continue;
    const ours = parsePem(pem);
    t.equal(ours.serialNumber, BigInt(`0x${oracle.serialNumber}`));
    t.equal(ours.notAfter.getTime(), new Date(oracle.validTo).getTime());
    t.equal(ours.isCa, oracle.ca);
    t.ok(equalBytes(ours.publicKey.spki, oracle.publicKey.export({ type: 'spki', format: 'der' })));
    // SHA-1 signatures prove nothing here.
    const isSha1 = ours.signatureAlgorithm.oid === '1.2.840.113549.1.1.5';
    t.equal(verifyIssued(ours, ours), !isSha1, ours.subject.rfc4514);
    t.equal(certificatePem(ours.der).trim(), oracle.toString().trim());
    seen += 1;
  }
  t.ok(seen > 100, `${seen} roots`);
});

t.test('names are written as RFC 4514 has them', async (t) => {
  const ca = await makeCa('ca');
  for (const [commonName, expected] of [
    ['plain', 'CN=plain'],
    [' lead', String.raw`CN=\ lead`],
    ['#hash', String.raw`CN=\#hash`],
    ['trail ', String.raw`CN=trail\ `],
    [' ', String.raw`CN=\ `],
    ['a+b,c;d<e>f"g\\h', String.raw`CN=a\+b\,c\;d\<e\>f\"g\\h`],
    ['null\0line\n', String.raw`CN=null\00line\0a`],
    ['客户', 'CN=客户'],
  ] as const) {
    const leaf = await makeLeaf(ca, { subject: { commonName } });
    t.equal(leaf.subject.rfc4514, expected);
    t.equal(leaf.subject.commonName, commonName);
  }
});

t.test('a changed, cut or lengthened certificate is refused', async (t) => {
  const ca = await makeCa('ca');
  const { der } = await makeLeaf(ca);
  const malformed = { code: 'CRYPTO_CERTIFICATE_MALFORMED' };
  t.throws(() => parseCertificate(der.subarray(0, -1)), malformed);
  t.throws(() => parseCertificate(Uint8Array.from([...der, 0])), malformed);
  t.throws(() => parseCertificate(new Uint8Array(0)), malformed);
  t.throws(() => parseCertificate(new Uint8Array(limits.certificateBytes + 1)), malformed);
  const changed = Uint8Array.from(der);
  changed[der.length - 3]! ^= 1;
  t.notOk(verifyIssued(parseCertificate(changed), ca.certificate));
});

t.test('a certificate keeps its own copy of the bytes', async (t) => {
  const { der } = await makeLeaf(await makeCa('ca'));
  const buffer = Uint8Array.from(der);
  const leaf = parseCertificate(buffer);
  buffer.fill(0);
  t.equal(toHex(leaf.der), toHex(der));
  t.equal(leaf.subject.commonName, 'peer0');
});

t.test('an extension that comes twice is refused', async (t) => {
  const ca = await makeCa('ca');
  const extra = [{ oid: oids.keyUsage, critical: true, value: derOctetString() }];
  await t.rejects(makeLeaf(ca, { extra }), { code: 'CRYPTO_CERTIFICATE_MALFORMED' });
});

t.test('extensions past the limit are refused', async (t) => {
  const ca = await makeCa('ca');
  const extras = (count: number) =>
    Array.from({ length: count }, (_, at) => ({
      oid: `1.2.3.${at}`,
      critical: false,
      value: derSequence(),
    }));
  const ours = (await makeLeaf(ca)).extensions.size;
  const fitting = await makeLeaf(ca, { extra: extras(limits.certificateExtensionsMax - ours) });
  t.equal(fitting.extensions.size, limits.certificateExtensionsMax);
  await t.rejects(makeLeaf(ca, { extra: extras(limits.certificateExtensionsMax - ours + 1) }), {
    code: 'CRYPTO_CERTIFICATE_MALFORMED',
  });
});

t.test('unknown critical extensions are named, unknown others only kept', async (t) => {
  const leaf = await makeLeaf(await makeCa('ca'), {
    extra: [
      { oid: '1.2.3.4.5.6.7.8.1', critical: false, value: derOctetString() },
      { oid: '1.2.3.4', critical: true, value: derOctetString() },
    ],
  });
  t.same(leaf.criticalExtensionsUnknown, ['1.2.3.4']);
  t.same(leaf.extensions.get('1.2.3.4.5.6.7.8.1')?.value, derOctetString());
  t.ok(leaf.notAfter > during);
});
