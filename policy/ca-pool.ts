import { equalBytes, latin1Of } from '#base';
import { oids, sha256, verifyChain, verifyIssued } from '#crypto';
import type { Certificate } from '#crypto';
import { lowSCertificate } from './low-s-certificate.ts';
import { fault } from './faults.ts';

/** Leaf first, root last; every certificate in its low-S form. */
export type CertificationPath = readonly [Certificate, ...Certificate[]];

/**
 * The certification authorities of one membership provider, and the paths that lead to them.
 *
 * @throws POLICY_CONFIG_INVALID no root, or an authority that is no CA, has no subject key
 *   identifier, or does not chain to a root in exactly one way.
 * @see Fabric msp/mspimplsetup.go, setupCAs and finalizeSetupCAs.
 */
export class CaPool {
  readonly roots: readonly Certificate[];
  readonly intermediates: readonly Certificate[];
  /** Fingerprints of authorities that certified another: leaves under them are refused. */
  readonly #inner: ReadonlySet<string>;

  constructor(roots: readonly Certificate[], intermediates: readonly Certificate[]) {
    this.roots = distinct(roots.map((root) => lowSCertificate(root, root)));
    // Sanitising an intermediate needs its parent, which may be an intermediate too.
    this.intermediates = intermediates;
    this.intermediates = distinct(intermediates.map((one) => asConfig(() => this.pathOf(one)[0])));
    for (const root of this.roots) checkRoot(root);
    const paths = this.intermediates.map((one) => asConfig(() => this.pathOf(one)));
    for (const authority of this.authorities) checkAuthority(authority);
    this.#inner = new Set(paths.flatMap(([, ...above]) => above.map(idOf)));
  }

  get authorities(): readonly Certificate[] {
    return [...this.roots, ...this.intermediates];
  }

  /**
   * The one path from the certificate to a root, valid one second after the certificate's own start:
   * Fabric asks for nothing more of time, so that old blocks stay valid.
   *
   * @throws CRYPTO_CHAIN_UNTRUSTED and its siblings; POLICY_IDENTITY_INVALID two paths.
   * @see Fabric msp/mspimplvalidate.go, getValidityOptsForCert.
   */
  pathOf(certificate: Certificate): CertificationPath {
    const { roots, intermediates } = this;
    const at = new Date(certificate.notBefore.getTime() + 1_000);
    const found = verifyChain(certificate, { roots, intermediates, at });
    for (const one of found) checkKeyUsages(one);
    for (const child of found.slice(0, -1)) this.#checkOneIssuer(child);
    const issuer = found[1] ?? certificate;
    return [lowSCertificate(certificate, issuer), ...found.slice(1)];
  }

  /** Whether the authority stands above another one of the pool. */
  isInner(authority: Certificate): boolean {
    return this.#inner.has(idOf(authority));
  }

  #checkOneIssuer(child: Certificate): void {
    const issuers = this.authorities.filter(
      (authority) => !equalBytes(authority.der, child.der) && verifyIssued(child, authority),
    );
    if (issuers.length === 1) return;
    throw fault('POLICY_IDENTITY_INVALID', {
      reason: 'more than one certification path',
      subject: child.subject.rfc4514,
    });
  }
}

/** What Fabric calls a certifiers identifier: SHA-256 over the DER of the authorities of a path. */
export function certifiersIdentifier(authorities: readonly Certificate[]): Uint8Array {
  return sha256(...authorities.map((authority) => authority.der));
}

function checkRoot(root: Certificate): void {
  if (!verifyIssued(root, root)) throw invalid(root, 'root is not self-signed');
  const at = new Date(root.notBefore.getTime() + 1_000);
  asConfig(() => verifyChain(root, { roots: [root], at }));
}

function checkAuthority(authority: Certificate): void {
  if (!authority.isCa) throw invalid(authority, 'not a CA');
  if (authority.subjectKeyId === undefined) throw invalid(authority, 'no subject key identifier');
  // Go reads no other keys: a stock peer would refuse the whole configuration.
  const { kind } = authority.publicKey;
  if (kind === 'SM2' || kind === 'secp256k1') throw invalid(authority, `key kind ${kind}`);
}

const anyUsage = '2.5.29.37.0';

/** Go's verifier, asked for nothing, wants serverAuth wherever extended key usages are listed. */
function checkKeyUsages({ extendedKeyUsages, subject }: Certificate): void {
  if (extendedKeyUsages === undefined) return;
  if (extendedKeyUsages.includes(oids.serverAuth) || extendedKeyUsages.includes(anyUsage)) return;
  throw fault('POLICY_IDENTITY_INVALID', {
    reason: 'extended key usage lacks serverAuth',
    subject: subject.rfc4514,
  });
}

function distinct(certificates: readonly Certificate[]): readonly Certificate[] {
  return [...new Map(certificates.map((one) => [idOf(one), one])).values()];
}

function idOf(certificate: Certificate): string {
  return latin1Of(certificate.der);
}

/** A fault of a certificate becomes one of the configuration that carries it. */
function asConfig<Value>(read: () => Value): Value {
  try {
    return read();
  } catch (cause) {
    throw fault('POLICY_CONFIG_INVALID', { reason: 'certification authority' }, cause);
  }
}

function invalid(certificate: Certificate, reason: string): Error {
  return fault('POLICY_CONFIG_INVALID', { reason, subject: certificate.subject.rfc4514 });
}
