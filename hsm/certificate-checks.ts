import { Fault, equalBytes } from '#base';
import { parsePemAll, verifyChain } from '#crypto';
import type { Certificate, PublicKey } from '#crypto';
import type { SignerRole } from '#formats';
import { fault } from './faults.ts';

/** What the certificate of a key has to be. */
export interface CertificateDemand {
  readonly key: string;
  readonly role: SignerRole;
  readonly publicKey: PublicKey;
  /** PEM of the CAs, in any order, one of which has to have issued it; absent: any. */
  readonly authorities: string | undefined;
}

/**
 * Looks at a certificate before it is put to use, whoever brought it.
 *
 * @throws HSM_KEY_MISMATCH, HSM_CERTIFICATE_UNIT, HSM_CERTIFICATE_FOREIGN, HSM_CERTIFICATE_EXPIRED,
 *   HSM_CERTIFICATE_EARLY
 */
export function checkKeyCertificate(
  certificate: Certificate,
  { key, role, publicKey, authorities }: CertificateDemand,
  nowMs: number,
): void {
  if (certificate.publicKey.fingerprint !== publicKey.fingerprint) {
    throw fault('HSM_KEY_MISMATCH', { key });
  }
  checkUnit(key, role, certificate);
  if (authorities !== undefined) checkIssuer(key, certificate, authorities);
  const invalid = validityFault(key, certificate, nowMs);
  if (invalid !== undefined) throw invalid;
}

/** The organisational unit that makes an identity what its role needs. @see Fabric's NodeOUs */
export const unitOfRole: Readonly<Record<SignerRole, 'peer' | 'orderer' | 'client' | undefined>> = {
  node: 'peer',
  ordering: 'orderer',
  relay: 'client',
  attestation: undefined,
};

/** @throws HSM_CERTIFICATE_UNIT peers would take nothing that this key signs. */
export function checkUnit(key: string, role: SignerRole, certificate: Certificate): void {
  const wanted = unitOfRole[role];
  const { organizationalUnits } = certificate.subject;
  if (wanted === undefined || organizationalUnits.includes(wanted)) return;
  const found = organizationalUnits.join(' ');
  throw fault('HSM_CERTIFICATE_UNIT', { key, role, wanted, found });
}

/**
 * @param pem the CAs, in any order.
 * @throws HSM_CERTIFICATE_FOREIGN unless one of them issued it.
 */
export function checkIssuer(key: string, certificate: Certificate, pem: string): void {
  const authorities = parsePemAll(pem);
  const isRoot = (one: Certificate) => equalBytes(one.subject.der, one.issuer.der);
  const roots = authorities.filter(isRoot);
  const intermediates = authorities.filter((one) => !isRoot(one));
  try {
    // When it is valid is another question; Fabric's MSPs look at chains at this moment too.
    verifyChain(certificate, { roots, intermediates, at: certificate.notBefore });
  } catch (cause) {
    if (!(cause instanceof Fault)) throw cause;
    throw fault('HSM_CERTIFICATE_FOREIGN', { key, reason: cause.code }, cause);
  }
}

/** @returns why the certificate counts for nothing at this time. */
export function validityFault(
  key: string,
  { notBefore, notAfter }: Certificate,
  nowMs: number,
): Fault | undefined {
  if (nowMs > notAfter.getTime()) {
    return fault('HSM_CERTIFICATE_EXPIRED', { key, notAfter: notAfter.toISOString() });
  }
  if (nowMs < notBefore.getTime()) {
    return fault('HSM_CERTIFICATE_EARLY', { key, notBefore: notBefore.toISOString() });
  }
  return undefined;
}
