import { buildCertificate, parseCertificate } from '#crypto';
import type { Certificate, CertificateFields } from '#crypto';
import { ecKey } from './keys.ts';
import type { TestKey } from './keys.ts';

export interface TestCa {
  certificate: Certificate;
  key: TestKey;
}

export const notBefore = new Date('2026-01-01T00:00:00Z');
export const notAfter = new Date('2036-01-01T00:00:00Z');
export const during = new Date('2030-01-01T00:00:00Z');

/** A root, or a CA below `parent`. */
export async function makeCa(
  commonName: string,
  parent?: TestCa,
  changes: Partial<CertificateFields> = {},
): Promise<TestCa> {
  const key = ecKey();
  const fields: CertificateFields = {
    subject: { commonName },
    issuer: parent?.certificate ?? 'self',
    serial: 1n,
    notBefore,
    notAfter,
    publicKeySpki: key.spki,
    ca: {},
    keyUsages: ['keyCertSign', 'cRLSign'],
    ...changes,
  };
  const der = await buildCertificate(fields, (parent?.key ?? key).sign);
  return { certificate: parseCertificate(der), key };
}

export async function makeLeaf(
  ca: TestCa,
  changes: Partial<CertificateFields> = {},
): Promise<Certificate> {
  const fields: CertificateFields = {
    subject: { commonName: 'peer0', organizationalUnits: ['peer'], organization: 'Org1' },
    issuer: ca.certificate,
    serial: 2n,
    notBefore,
    notAfter,
    publicKeySpki: ecKey().spki,
    keyUsages: ['digitalSignature'],
    ...changes,
  };
  return parseCertificate(await buildCertificate(fields, ca.key.sign));
}
