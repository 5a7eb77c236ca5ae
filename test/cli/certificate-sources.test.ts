import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { Fault, toBase64, utf8 } from '#base';
import { FabricCa, obtainCertificate, pastedSource } from '#cli';
import type { KeyPlace } from '#cli';
import { buildCsr, certificatePem } from '#crypto';
import type { CertificateFields } from '#crypto';
import { makeCa, makeLeaf } from '../crypto/certificates.ts';
import { mutate, seededRandom } from '../crypto/fuzzing.ts';
import { ecKey } from '../crypto/keys.ts';
import { makeTlsPair } from '../manager/channel.ts';

const key = 'node0.org1';
const ca = await makeCa('ca.org1');
const pair = ecKey();
const subject = { commonName: key, organizationalUnits: ['peer'], organization: 'org1' };
const csr = await buildCsr({ subject, publicKeySpki: pair.spki }, pair.sign);
const place: KeyPlace = {
  key,
  organisation: 'org1',
  role: 'node',
  mspid: 'Org1MSP',
  authorities: certificatePem(ca.certificate.der),
  revokedKeys: new Set(),
};

async function leaf(changes: Partial<CertificateFields> = {}, issuer = ca): Promise<string> {
  const { der } = await makeLeaf(issuer, { subject, publicKeySpki: pair.spki, ...changes });
  return certificatePem(der);
}

const good = await leaf();

t.test('a certificate for the very key, by its authority, is taken', async (t) => {
  t.equal(await obtainCertificate(pastedSource(place, `\n${good}\n`), csr), good);
});

t.test('what is brought for a key has to be right in everything', async (t) => {
  const [past, future] = [new Date('2020-01-01T00:00:00Z'), new Date('2040-01-01T00:00:00Z')];
  const older = await makeCa('ca.org1', undefined, { notBefore: past, notAfter: future });
  const rival = await makeCa('ca.org1');
  const early = { notBefore: new Date('2035-01-01T00:00:00Z'), notAfter: future };
  const expired = { notBefore: past, notAfter: new Date('2021-01-01T00:00:00Z') };
  const ofClient = { subject: { ...subject, organizationalUnits: ['client'] } };
  const atOlder = { ...place, authorities: certificatePem(older.certificate.der) };
  const cases: readonly [code: string, pem: string, at?: KeyPlace][] = [
    ['HSM_KEY_MISMATCH', await leaf({ publicKeySpki: ecKey().spki })],
    ['HSM_CERTIFICATE_UNIT', await leaf(ofClient)],
    ['HSM_CERTIFICATE_UNIT', good, { ...place, role: 'ordering' }],
    ['HSM_CERTIFICATE_FOREIGN', await leaf({}, rival)],
    ['HSM_CERTIFICATE_EXPIRED', await leaf(expired, older), atOlder],
    ['HSM_CERTIFICATE_EARLY', await leaf(early, older), atOlder],
    ['CLI_CA_ANSWER_INVALID', `${good}${good}`],
    ['CLI_CA_ANSWER_INVALID', ''],
    ['CLI_REQUEST_FOREIGN', good, { ...place, key: 'node0.org2' }],
    ['CLI_KEY_COMPROMISED', good, { ...place, revokedKeys: new Set([pair.publicKey.fingerprint]) }],
  ];
  for (const [code, pem, at = place] of cases) {
    await t.rejects(obtainCertificate(pastedSource(at, pem), csr), { code }, code);
  }
});

t.test('a request that is damaged is not passed on', async (t) => {
  const source = { place, issue: () => t.fail('it was asked') as never };
  const damaged = Uint8Array.from(csr);
  damaged[damaged.length - 1]! ^= 1;
  await t.rejects(obtainCertificate(source, damaged), Fault);
  await t.rejects(obtainCertificate(source, new Uint8Array(0)), { code: 'CRYPTO_CSR_MALFORMED' });
});

t.test('nothing but faults comes of mutated certificates, and none is taken', async (t) => {
  const random = seededRandom(20261121);
  const der = new Uint8Array(Buffer.from(good.split('\n').slice(1, -2).join(''), 'base64'));
  const wrong: string[] = [];
  for (let round = 0; round < 500; round += 1) {
    const pem = certificatePem(mutate(der, random));
    const outcome = await obtainCertificate(pastedSource(place, pem), csr).catch(
      (error: unknown) => error,
    );
    // A mutation may come to nothing.
    if (outcome === good || outcome instanceof Fault) continue;
    wrong.push(`round ${round}: ${String(outcome)}`);
  }
  t.strictSame(wrong, []);
});

t.test('whatever answers in the place of a Fabric CA, the caller is told in one way', async (t) => {
  const tls = await makeTlsPair();
  const answers: [status: number, body: string | undefined][] = [];
  const server = createServer({ cert: tls.certificate, key: tls.privateKey }, (call, response) => {
    const [status, body] = answers.shift() ?? [500, ''];
    call.resume();
    if (body === undefined) call.socket.destroy();
    else response.writeHead(status).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const tlsCaFile = join(t.testdir(), 'tls-ca.pem');
  writeFileSync(tlsCaFile, tls.root);
  const url = `https://localhost:${(server.address() as AddressInfo).port}`;
  const askAt = (file: string) =>
    new FabricCa({ url, tlsCaFile: file }).enroll({ id: key, secret: 'x' }, 'a request');
  const success = (result: unknown) => JSON.stringify({ success: true, result, errors: [] });
  const cases: [code: string, status: number, body: string | undefined][] = [
    ['CLI_CA_ANSWER_INVALID', 201, ''],
    ['CLI_CA_ANSWER_INVALID', 201, 'null'],
    ['CLI_CA_ANSWER_INVALID', 201, '[]'],
    ['CLI_CA_ANSWER_INVALID', 201, '{"success":"true"}'],
    ['CLI_CA_ANSWER_INVALID', 200, '{"success":false,"errors":7}'],
    ['CLI_CA_ANSWER_INVALID', 201, success(null)],
    ['CLI_CA_ANSWER_INVALID', 201, success({ Cert: 7 })],
    ['CLI_CA_ANSWER_INVALID', 201, success({ Cert: '%%%' })],
    ['CLI_CA_REFUSED', 401, '{"success":false,"errors":[{"code":20,"message":"no"}]}'],
    ['CLI_CA_REFUSED', 500, '{"success":false}'],
    ['CLI_CA_UNREACHABLE', 201, undefined],
    ['CLI_CA_UNREACHABLE', 201, ' '.repeat(9 * 1024 * 1024)],
  ];
  for (const [code, status, body] of cases) {
    answers.push([status, body]);
    await t.rejects(askAt(tlsCaFile), { code }, `${code} for ${body?.slice(0, 60)}`);
  }
  answers.push([201, success({ Cert: toBase64(utf8(good)) })]);
  t.equal(await askAt(tlsCaFile), good);
  writeFileSync(tlsCaFile, certificatePem(ca.certificate.der));
  await t.rejects(askAt(tlsCaFile), { code: 'CLI_CA_UNREACHABLE' }, 'another authority of TLS');
});
