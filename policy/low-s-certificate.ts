import { equalBytes } from '#base';
import { derSequence, derToRaw, parseCertificate, rawToDer, toLowS } from '#crypto';
import type { Certificate } from '#crypto';

/**
 * The certificate with a low-S signature: anyone can mirror the s of an ECDSA signature, so Fabric
 * compares, hashes and counts identities by this one form.
 *
 * @returns the argument itself when nothing had to change or its issuer does not sign with ECDSA.
 * @throws CRYPTO_SIGNATURE_MALFORMED.
 * @see Fabric msp/cert.go, sanitizeECDSASignedCert.
 */
export function lowSCertificate(certificate: Certificate, issuer: Certificate): Certificate {
  const curve = issuer.publicKey.kind;
  if (curve !== 'P-256' && curve !== 'P-384') return certificate;
  const { der, signature } = certificate;
  const low = rawToDer(toLowS(curve, derToRaw(signature, curve === 'P-256' ? 32 : 48)));
  if (equalBytes(low, signature)) return certificate;
  // The signature's BIT STRING is the last element, and short enough for one length octet.
  const start = (der[1] as number) < 0x80 ? 2 : 2 + ((der[1] as number) & 0x7f);
  const signed = der.subarray(start, der.length - 3 - signature.length);
  return parseCertificate(derSequence(signed, Uint8Array.of(0x03, low.length + 1, 0), low));
}
