import { generateKeyPairSync, sign } from 'node:crypto';
import t from 'tap';
import { Fault, utf8 } from '#base';
import { buildCertificate, certificatePem, normaliseEcdsa, derToRaw } from '#crypto';
import {
  KeyRotation,
  RotationStatement,
  checkRotationWrites,
  lifecycleKeys,
  rotationContent,
  verifyRotation,
  versionLabel,
} from '#formats';
import { SeededRandom } from './random.ts';

interface Version {
  pem: Uint8Array;
  sign: (content: Uint8Array) => Uint8Array;
}

let serial = 1n;

async function newVersion(commonName = 'node0.org1'): Promise<Version> {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const signed = (content: Uint8Array) => {
    const der = new Uint8Array(sign('sha256', content, privateKey));
    return normaliseEcdsa(derToRaw(der, 32), 'P-256');
  };
  serial += 1n;
  const der = await buildCertificate(
    {
      subject: { commonName, organizationalUnits: ['peer'] },
      issuer: 'self',
      serial,
      notBefore: new Date('2026-01-01T00:00:00Z'),
      notAfter: new Date('2036-01-01T00:00:00Z'),
      publicKeySpki: new Uint8Array(publicKey.export({ type: 'spki', format: 'der' })),
      keyUsages: ['digitalSignature'],
    },
    (tbs) => sign('sha256', tbs, privateKey),
  );
  return { pem: utf8(certificatePem(der)), sign: signed };
}

const first = await newVersion();
const second = await newVersion();

function record(
  changes: Partial<Parameters<typeof RotationStatement.encode>[0]> = {},
  signers: [Version, Version] = [first, second],
): Uint8Array {
  const statement = RotationStatement.encode({
    key: 'node0.org1',
    role: 'node',
    mspid: 'Org1MSP',
    version: 2,
    oldCertificate: first.pem,
    newCertificate: second.pem,
    order: new Uint8Array(32),
    ...changes,
  });
  const content = rotationContent(statement);
  const [old, next] = signers;
  const signatures = { oldSignature: old.sign(content), newSignature: next.sign(content) };
  return KeyRotation.encode({ statement, ...signatures });
}

t.test('a record that both keys signed says which version takes whose place', async (t) => {
  const { old, next } = verifyRotation(record());
  t.match(old, { version: 1, label: 'node0.org1' });
  t.match(next, { version: 2, label: versionLabel('node0.org1', 2) });
});

t.test('a record that one of the keys did not sign is refused', async (t) => {
  const third = await newVersion();
  for (const signers of [
    [third, second],
    [first, third],
    [second, first],
  ] as [Version, Version][]) {
    t.throws(() => verifyRotation(record({}, signers)), { code: 'FORMATS_ROTATION_INVALID' });
  }
});

t.test('a record that contradicts itself is refused, however well signed', async (t) => {
  const other = await newVersion('node0.org2');
  const wrong: [string, Uint8Array][] = [
    ['another subject', record({ newCertificate: other.pem }, [first, other])],
    ['the same key', record({ newCertificate: first.pem }, [first, first])],
    ['a first version', record({ version: 1 })],
    ['a role without versions', record({ role: 'attestation' })],
    ['a name with a version', record({ key: 'node0.org1~2' })],
    ['half a hash', record({ order: new Uint8Array(16) })],
  ];
  for (const [what, bytes] of wrong) {
    t.throws(() => verifyRotation(bytes), { code: 'FORMATS_ROTATION_INVALID' }, what);
  }
});

t.test('a signer host takes one record under its own name, and nothing beside it', async (t) => {
  const write = { key: lifecycleKeys.rotation('node0.org1'), isDelete: false, value: record() };
  const rwset = { reads: [], rangeQueriesInfo: [], metadataWrites: [] };
  t.doesNotThrow(() => checkRotationWrites({ ...rwset, writes: [write] }));
  const elsewhere = { ...write, key: lifecycleKeys.rotation('node0.org2') };
  for (const writes of [[elsewhere], [write, write], [{ ...write, isDelete: true }]]) {
    t.throws(() => checkRotationWrites({ ...rwset, writes }), {
      code: 'FORMATS_DEFINITION_INVALID',
    });
  }
});

t.test('whatever is done to a record, only faults come out', async (t) => {
  const random = new SeededRandom(20_261_121);
  const good = record();
  const accepted: number[] = [];
  for (let round = 0; round < 1_000; round += 1) {
    const bytes = Uint8Array.from(good);
    const at = random.below(bytes.length);
    bytes[at] = (bytes[at] as number) ^ (1 << random.below(8));
    try {
      verifyRotation(random.chance(50) ? bytes : random.mutate(bytes));
      accepted.push(at);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
    }
  }
  t.strictSame(accepted, []);
});
