import { equalBytes, limits } from '#base';
import type { Certificate } from './certificate.ts';
import { fault } from './faults.ts';
import { verifySigned } from './signed-object.ts';

/** Certificates a chain may be built from, and the moment it has to be valid at. */
export interface ChainOptions {
  roots: readonly Certificate[];
  intermediates?: readonly Certificate[];
  at: Date;
}

/**
 * Whether the issuer's key signed the child: names byte for byte, key identifiers where both carry
 * one, signature. Whether the issuer may sign certificates is for `verifyChain` to say.
 */
export function verifyIssued(child: Certificate, issuer: Certificate): boolean {
  if (!equalBytes(child.issuer.der, issuer.subject.der)) return false;
  if (!keyIdsAgree(child.authorityKeyId, issuer.subjectKeyId)) return false;
  return verifySigned(child, issuer.publicKey);
}

/**
 * Finds a chain from a leaf to a root and checks every certificate of it: validity at `at`,
 * signatures, CA bit, keyCertSign, path length, no critical extension that is not understood.
 * Path length counts every CA below, self-issued ones too, as Go's crypto/x509 does. A leaf that
 * is itself among the roots is a chain of one. Revocation and key usages of the leaf are the
 * caller's.
 *
 * @returns leaf first, root last, `limits.certificateChainDepthMax` at most.
 * @throws CRYPTO_CHAIN_UNTRUSTED, CRYPTO_CHAIN_EXPIRED, CRYPTO_CHAIN_INVALID,
 *   CRYPTO_CHAIN_TOO_LONG: where several paths fail, the fault of the last certificate that would
 *   otherwise have fitted.
 * @see RFC 5280 section 6.1.
 */
export function verifyChain(leaf: Certificate, options: ChainOptions): Certificate[] {
  const search: ChainSearch = {
    ...options,
    checksLeft: limits.certificateChainChecksMax,
    failure: fault('CRYPTO_CHAIN_UNTRUSTED', { subject: leaf.subject.rfc4514 }),
  };
  if (!fits(search, leaf, [])) throw search.failure;
  const chain = extend(search, [leaf]);
  if (chain === undefined) throw search.failure;
  return chain;
}

interface ChainSearch extends ChainOptions {
  checksLeft: number;
  failure: Error;
}

/** Depth first; each level adds one certificate, so the recursion is as deep as the chain. */
function extend(search: ChainSearch, chain: readonly Certificate[]): Certificate[] | undefined {
  const last = chain.at(-1)!;
  if (isAmong(search.roots, last)) return [...chain];
  for (const candidate of [...search.roots, ...(search.intermediates ?? [])]) {
    if (isAmong(chain, candidate) || !equalBytes(last.issuer.der, candidate.subject.der)) continue;
    if (!isIssuer(search, candidate, chain)) continue;
    const found = extend(search, [...chain, candidate]);
    if (found !== undefined) return found;
  }
  return undefined;
}

function isIssuer(
  search: ChainSearch,
  candidate: Certificate,
  chain: readonly Certificate[],
): boolean {
  if (chain.length >= limits.certificateChainDepthMax) {
    search.failure = fault('CRYPTO_CHAIN_TOO_LONG', { depthMax: limits.certificateChainDepthMax });
    return false;
  }
  if (search.checksLeft === 0) return false;
  search.checksLeft -= 1;
  return verifyIssued(chain.at(-1)!, candidate) && fits(search, candidate, chain);
}

/** Whether the certificate may stand above the chain; the reason stays in the search if not. */
function fits(
  search: ChainSearch,
  certificate: Certificate,
  below: readonly Certificate[],
): boolean {
  const subject = certificate.subject.rfc4514;
  if (search.at < certificate.notBefore || search.at > certificate.notAfter) {
    search.failure = fault('CRYPTO_CHAIN_EXPIRED', {
      subject,
      notBefore: certificate.notBefore.toISOString(),
      notAfter: certificate.notAfter.toISOString(),
    });
    return false;
  }
  const reason = unfitness(certificate, below.length);
  if (reason === undefined) return true;
  search.failure = fault('CRYPTO_CHAIN_INVALID', { subject, reason });
  return false;
}

function unfitness(certificate: Certificate, certificatesBelow: number): string | undefined {
  const [unknown] = certificate.criticalExtensionsUnknown;
  if (unknown !== undefined) return `critical extension ${unknown}`;
  if (certificatesBelow === 0) return undefined;
  if (!certificate.isCa) return 'not a CA';
  if (certificate.keyUsage?.has('keyCertSign') === false) return 'key usage lacks keyCertSign';
  const { pathLength } = certificate;
  if (pathLength !== undefined && certificatesBelow - 1 > pathLength) return 'path length';
  return undefined;
}

function isAmong(list: readonly Certificate[], certificate: Certificate): boolean {
  return list.some((one) => equalBytes(one.der, certificate.der));
}

function keyIdsAgree(authority: Uint8Array | undefined, subject: Uint8Array | undefined): boolean {
  return authority === undefined || subject === undefined || equalBytes(authority, subject);
}
