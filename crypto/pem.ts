import { fromBase64, limits, toBase64 } from '#base';
import { parseCertificate } from './certificate.ts';
import type { Certificate } from './certificate.ts';
import { fault } from './faults.ts';

/**
 * Reads a certificate from PEM.
 *
 * @param text exactly one CERTIFICATE block, white space around it.
 * @throws CRYPTO_PEM_MALFORMED and what `parseCertificate` throws.
 * @see RFC 7468.
 */
export function parsePem(text: string): Certificate {
  const [only, ...more] = parsePemAll(text);
  if (only === undefined || more.length > 0) {
    throw fault('CRYPTO_PEM_MALFORMED', { certificates: more.length + (only ? 1 : 0) });
  }
  return only;
}

/** As `parsePem`, for none to `limits.pemCertificatesMax` blocks one after the other. */
export function parsePemAll(text: string): Certificate[] {
  return pemBlocks(text, 'CERTIFICATE').map(parseCertificate);
}

/** The PEM of a certificate, byte for byte as Go's pem.EncodeToMemory writes it. */
export function certificatePem(der: Uint8Array): string {
  return pemBlock('CERTIFICATE', der);
}

/** One PEM block: lines of 64 characters, a newline at the end. */
export function pemBlock(label: string, der: Uint8Array): string {
  const lines = toBase64(der).replace(/.{64}(?!$)/g, '$&\n');
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`;
}

/**
 * The contents of the blocks of one label.
 *
 * @throws CRYPTO_PEM_MALFORMED anything else stands in the text, or there are too many blocks.
 */
export function pemBlocks(text: string, label: string): Uint8Array[] {
  const bytesMax = limits.pemCertificatesMax * limits.certificateBytes * 2;
  if (text.length > bytesMax) throw fault('CRYPTO_PEM_MALFORMED', { characters: text.length });
  const begin = `-----BEGIN ${label}-----`;
  const end = `-----END ${label}-----`;
  const blocks: Uint8Array[] = [];
  let rest = text.trim();
  while (rest !== '') {
    const stop = rest.indexOf(end);
    if (!rest.startsWith(begin) || stop < 0) throw fault('CRYPTO_PEM_MALFORMED', { label });
    if (blocks.length >= limits.pemCertificatesMax) {
      throw fault('CRYPTO_PEM_MALFORMED', { blocksMax: limits.pemCertificatesMax });
    }
    blocks.push(blockContent(rest.slice(begin.length, stop)));
    rest = rest.slice(stop + end.length).trimStart();
  }
  return blocks;
}

function blockContent(body: string): Uint8Array {
  const bytes = fromBase64(body.replace(/\r?\n/g, ''));
  if (bytes === undefined || bytes.length === 0) {
    throw fault('CRYPTO_PEM_MALFORMED', { reason: 'base64' });
  }
  return bytes;
}
