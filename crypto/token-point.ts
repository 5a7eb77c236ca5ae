import { importPoint } from './public-key.ts';
import type { PublicKey } from './public-key.ts';

/**
 * The key of a token's CKA_EC_POINT. The standard wraps the point in an OCTET STRING; some tokens
 * hand it out bare, and a bare point never has the wrapped one's length.
 *
 * @param ecPoint 67 or 65 bytes for P-256, 99 or 97 for P-384.
 * @throws CRYPTO_KEY_INVALID.
 * @see PKCS#11 v3.1 section 6.3.3.
 */
export function importTokenPoint(ecPoint: Uint8Array): PublicKey {
  const wrapped = ecPoint[0] === 0x04 && ecPoint[1] === ecPoint.length - 2 && ecPoint[2] === 0x04;
  return importPoint(wrapped ? ecPoint.subarray(2) : ecPoint);
}
