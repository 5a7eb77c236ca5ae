import { generateKeyPairSync, sign } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fromHex } from '#base';
import { buildCertificate, certificatePem, parseCertificate } from '#crypto';
import type { Certificate } from '#crypto';
import type { SignerRole } from '#formats';
import { runProvisioning } from '#softhsm-config';
import type { ProvisionedToken } from '#softhsm-config';
import { temporaryDir } from './temporary-dir.ts';
import type { TestScope } from './temporary-dir.ts';

/** What of a test is needed here: when it is over, its files go. */
export interface TestKeySpec {
  readonly label: string;
  readonly role: SignerRole;
}

export interface TestToken extends ProvisionedToken {
  /** Holds the token, the certificates and whatever the test adds; gone after the test. */
  readonly dir: string;
  readonly mspid: string;
  readonly certificateOf: ReadonlyMap<string, { file: string; certificate: Certificate }>;
  readonly roles: ReadonlyMap<string, SignerRole>;
}

/** What a token says of a private key that was made in it, for signing. */
export const madeInToken = {
  token: true,
  private: true,
  sensitive: true,
  alwaysSensitive: true,
  extractable: false,
  neverExtractable: true,
  local: true,
  modifiable: false,
  sign: true,
  decrypt: false,
};

/**
 * A SoftHSM token of the test's own, with keys made in it and certificates for them; one process of
 * a third of a second.
 *
 * @param wanted a key's organisational unit follows its role, as NodeOUs want it.
 */
export async function temporaryToken(
  t: TestScope,
  wanted: { keys: readonly TestKeySpec[]; label?: string; mspid?: string },
): Promise<TestToken> {
  const { keys, label = 'Org1', mspid = 'Org1MSP' } = wanted;
  const dir = temporaryDir(t);
  const made = await runProvisioning({
    dir: join(dir, 'token'),
    label,
    keys: keys.map((key) => ({ ...key, subject: subjectOf(key) })),
  });
  const ca = await makeCa();
  const certificateOf = new Map<string, { file: string; certificate: Certificate }>();
  for (const key of keys) {
    const publicKey = made.keys.find((one) => one.label === key.label)?.publicKey ?? '';
    const certificate = await ca.issue(subjectOf(key), fromHex(publicKey) as Uint8Array);
    const file = join(dir, `${key.label}.pem`);
    writeFileSync(file, certificatePem(certificate.der));
    certificateOf.set(key.label, { file, certificate });
  }
  const roles = new Map(keys.map((key) => [key.label, key.role]));
  return { ...made, dir, mspid, certificateOf, roles };
}

function subjectOf({ label, role }: TestKeySpec) {
  const unit = { node: 'peer', ordering: 'orderer', relay: 'client', attestation: 'client' }[role];
  return { commonName: label, organizationalUnits: [unit] };
}

interface TestCa {
  issue(
    subject: { commonName: string; organizationalUnits: string[] },
    publicKeySpki: Uint8Array,
  ): Promise<Certificate>;
}

/** A certification authority whose key is in this process only. */
export async function makeCa(): Promise<TestCa> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const signer = (content: Uint8Array) => new Uint8Array(sign('sha256', content, privateKey));
  const validity = {
    notBefore: new Date('2026-01-01T00:00:00Z'),
    notAfter: new Date('2046-01-01T00:00:00Z'),
  };
  const spki = new Uint8Array(publicKey.export({ type: 'spki', format: 'der' }));
  const rootDer = await buildCertificate(
    {
      ...validity,
      subject: { commonName: 'test CA' },
      issuer: 'self',
      serial: 1n,
      publicKeySpki: spki,
      ca: {},
      keyUsages: ['keyCertSign', 'cRLSign'],
    },
    signer,
  );
  const root = parseCertificate(rootDer);
  let serial = 1n;
  return {
    issue: async (subject, publicKeySpki) => {
      serial += 1n;
      const fields = { ...validity, subject, issuer: root, serial, publicKeySpki };
      const der = await buildCertificate({ ...fields, keyUsages: ['digitalSignature'] }, signer);
      return parseCertificate(der);
    },
  };
}
