import { generateKeyPairSync, sign } from 'node:crypto';
import { utf8 } from '#base';
import { buildCertificate, certificatePem, derToRaw, normaliseEcdsa } from '#crypto';
import { KeyRotation, RotationStatement, rotationContent } from '#formats';

/** A version of a key that is in this process, with a certificate by itself. */
export interface Version {
  pem: Uint8Array;
  sign: (content: Uint8Array) => Uint8Array;
}

let serial = 1n;

export async function newVersion(commonName = 'node0.org1'): Promise<Version> {
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

/** The record of the first version's end, by default as both keys would sign it. */
export function rotationRecord(
  first: Version,
  second: Version,
  changes: Partial<Parameters<typeof RotationStatement.encode>[0]> = {},
  signers: readonly [Version, Version] = [first, second],
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
