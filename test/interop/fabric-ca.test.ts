import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import {
  certificateSourceOf,
  certifyKey,
  createNetwork,
  defaultNetwork,
  keyPlaceOf,
  keyRequest,
  obtainCertificate,
  openNetwork,
} from '#cli';
import { parsePem, pemBlocks } from '#crypto';
import { startFabricCaServer } from './fabric-ca-server.ts';
import { temporaryDir } from '../support/temporary-dir.ts';

const node = 'node0.org1';
const dir = join(temporaryDir(t), 'net');
await createNetwork(dir, defaultNetwork);
const network = openNetwork(dir);
const { layout } = network;
const secretsDir = join(dir, 'secrets');
mkdirSync(secretsDir);
const tls = layout.tls('manager');
const authority = {
  certificateFile: layout.caCertificate('org1'),
  keyFile: join(layout.ca('org1'), 'ca.key.pem'),
};
const identities = [
  { name: node, pass: 'the secret of the node', type: 'peer' },
  { name: 'registrar', pass: 'the secret of the registrar', type: 'client' },
] as const;
const ca = await startFabricCaServer(t, {
  dir: join(dir, 'fabric-ca'),
  tls,
  authority,
  identities,
});

/** Says where the organisation's certificates come from. */
function useCa(url: string, change: Record<string, unknown> = {}): void {
  const source = {
    kind: 'fabric-ca',
    url,
    caName: 'ca',
    tlsCaFile: tls.caFile,
    secretsDir,
    ...change,
  };
  writeFileSync(layout.certificateSource('org1'), JSON.stringify(source));
}

function useSecret(secret: string | undefined): void {
  writeFileSync(join(secretsDir, `${secret === undefined ? 'none' : node}.secret`), secret ?? '');
}

const inForce = () => readFileSync(layout.keyCertificate(node), 'utf8');

t.test('002-19 a key in a token enrolls with a Fabric CA', async (t) => {
  useCa(ca.url);
  useSecret('the secret of the node');
  const before = parsePem(inForce());
  const certificate = parsePem(await certifyKey(dir, node));
  t.equal(certificate.publicKey.fingerprint, before.publicKey.fingerprint);
  t.not(certificate.serialHex, before.serialHex);
  t.strictSame(certificate.subject.organizationalUnits, ['peer']);
  t.equal(parsePem(inForce()).serialHex, certificate.serialHex);
});

t.test('without a secret the key enrolls again by the certificate that it has', async (t) => {
  useCa(ca.url, { secretsDir: join(dir, 'no-secrets') });
  const before = parsePem(inForce()).serialHex;
  t.not(parsePem(await certifyKey(dir, node)).serialHex, before);
});

t.test('what goes wrong leaves the key with the certificate that it has', async (t) => {
  const before = inForce();
  const cases: readonly [code: string, prepare: () => void][] = [
    ['CLI_CA_REFUSED', () => useSecret('another secret')],
    ['CLI_CA_REFUSED', () => useCa(ca.url, { caName: 'another' })],
    ['CLI_CA_UNREACHABLE', () => useCa('https://localhost:1')],
    ['CLI_CA_UNREACHABLE', () => useCa(ca.url, { tlsCaFile: layout.caCertificate('org1') })],
    ['BASE_CONFIG_INVALID', () => useCa('http://localhost')],
  ];
  for (const [code, prepare] of cases) {
    useCa(ca.url);
    prepare();
    await t.rejects(certifyKey(dir, node), { code }, code);
  }
  t.equal(inForce(), before);
});

t.test('a certificate of the wrong unit or of another authority is not taken', async (t) => {
  const others = await startFabricCaServer(t, {
    dir: join(dir, 'other-ca'),
    tls,
    identities: [{ name: node, pass: 'x', type: 'peer' }],
  });
  useSecret('x');
  useCa(others.url);
  await t.rejects(certifyKey(dir, node), { code: 'HSM_CERTIFICATE_FOREIGN' });
  const asClient = await startFabricCaServer(t, {
    dir: join(dir, 'third-ca'),
    tls,
    authority,
    identities: [{ name: node, pass: 'x', type: 'client' }],
  });
  useCa(asClient.url);
  await t.rejects(certifyKey(dir, node), { code: 'HSM_CERTIFICATE_UNIT' });
});

t.test('a key without secret and certificate cannot ask', async (t) => {
  useCa(ca.url, { secretsDir: join(dir, 'no-secrets') });
  const [csr] = pemBlocks(await keyRequest(dir, node), 'CERTIFICATE REQUEST');
  const source = certificateSourceOf(layout, keyPlaceOf(network, node));
  await t.rejects(obtainCertificate(source, csr!), { code: 'CLI_SECRET_MISSING' });
  const other = certificateSourceOf(layout, keyPlaceOf(network, 'node0.org2'));
  await t.rejects(obtainCertificate(other, csr!), { code: 'CLI_REQUEST_FOREIGN' });
});
