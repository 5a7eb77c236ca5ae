import { derTags } from './der-reader.ts';
import { importPoint } from './public-key.ts';
import type { PublicKey } from './public-key.ts';

/**
 * The key of a token's CKA_EC_POINT. The standard wraps the point in an OCTET STRING; some tokens
 * hand it out bare. The length alone tells the two apart: a bare point may begin as a wrapped one.
 *
 * @param ecPoint 67 or 65 bytes for P-256, 99 or 97 for P-384.
 * @throws CRYPTO_KEY_INVALID.
 * @see PKCS#11 v3.1 section 6.3.3.
 */
export function importTokenPoint(ecPoint: Uint8Array): PublicKey {
  const wrapped = wrappedBytes.has(ecPoint.length) && ecPoint[0] === derTags.octetString;
  return importPoint(wrapped && ecPoint[1] === ecPoint.length - 2 ? ecPoint.subarray(2) : ecPoint);
}

/** Of P-256 and P-384, tag and length included. */
const wrappedBytes: ReadonlySet<number> = new Set([67, 99]);
