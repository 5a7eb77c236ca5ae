import type { PrivateKey, Session } from 'graphene-pk11';
import { normaliseEcdsa, sha256 } from '#crypto';

/** ECDSA with SHA-256 by a P-256 key of the token: DER with low s. */
export function signInToken(session: Session, key: PrivateKey, content: Uint8Array): Uint8Array {
  // Hashed here: SoftHSM 2.6 has no mechanism that does both.
  const digest = Buffer.from(sha256(content));
  return normaliseEcdsa(session.createSign('ECDSA', key).once(digest), 'P-256');
}
