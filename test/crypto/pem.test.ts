import t from 'tap';
import { limits } from '#base';
import { certificatePem, parsePem, parsePemAll, pemBlock } from '#crypto';
import { makeCa, makeLeaf } from './certificates.ts';

const malformed = { code: 'CRYPTO_PEM_MALFORMED' };
const ca = await makeCa('ca');
const leaf = await makeLeaf(ca);
const pem = certificatePem(leaf.der);

t.test('a certificate comes back from its PEM', async (t) => {
  t.same(parsePem(pem).der, leaf.der);
  t.same(parsePem(pem.replaceAll('\n', '\r\n')).der, leaf.der, 'with carriage returns');
  t.same(parsePem(`\n${pem}\n`).der, leaf.der, 'with lines around it');
  t.ok(pem.split('\n').every((line) => line.length <= 64));
  t.ok(pem.endsWith('-----END CERTIFICATE-----\n'));
});

t.test('lines of every length around 64 are written right', async (t) => {
  for (const [bytes, lines] of [
    [47, 1],
    [48, 1],
    [49, 2],
    [96, 2],
    [97, 3],
  ] as const) {
    t.equal(pemBlock('X', new Uint8Array(bytes)).split('\n').length, lines + 3, `${bytes}`);
  }
});

t.test('none or two are not one', async (t) => {
  t.throws(() => parsePem(''), malformed);
  t.throws(() => parsePem(pem + pem), malformed);
  t.equal(parsePemAll('').length, 0);
  t.same(
    parsePemAll(pem + certificatePem(ca.certificate.der)).map((one) => one.subject.commonName),
    ['peer0', 'ca'],
  );
});

t.test('text around or inside the block is refused', async (t) => {
  for (const wrong of [
    `subject=x\n${pem}`,
    `${pem}x`,
    pem.replace('-----END', 'x-----END'),
    pem.replaceAll('CERTIFICATE', 'PRIVATE KEY'),
    pem.replace('\n', '\nProc-Type: 4,ENCRYPTED\n\n'),
    pem.slice(0, -3),
    pem.replace('=', ''),
    '-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n',
  ]) {
    t.throws(() => parsePemAll(wrong), malformed, wrong.slice(0, 40));
  }
});

t.test('certificates past the limit are refused', async (t) => {
  t.equal(parsePemAll(pem.repeat(limits.pemCertificatesMax)).length, limits.pemCertificatesMax);
  t.throws(() => parsePemAll(pem.repeat(limits.pemCertificatesMax + 1)), malformed);
  t.throws(
    () => parsePemAll(' '.repeat(3 * limits.pemCertificatesMax * limits.certificateBytes)),
    malformed,
  );
});
