import { normaliseEcdsa, verifyFabric } from '#crypto';
import { digestOf } from './digest.ts';
import { fault } from './faults.ts';
import { keyChallenge } from './key-challenge.ts';
import type { TokenKey } from './pkcs11-keys.ts';
import type { Token } from './pkcs11-token.ts';
import { SignSession } from './sign-session.ts';

/**
 * Has the private key sign a challenge: the public half on the token is only data that someone wrote
 * there, and a handle may name another key than it did.
 *
 * @throws HSM_SIGN_FAILED, HSM_KEY_UNPROVED
 */
export function proveKey(token: Token, key: TokenKey): void {
  const session = new SignSession(token.pkcs11, token.slot);
  try {
    const challenge = keyChallenge();
    const outcome = session.sign({ key: key.handle, digest: digestOf(challenge) });
    if ('failed' in outcome) {
      throw fault('HSM_SIGN_FAILED', { key: key.label, name: outcome.failed.name });
    }
    if (!verifyFabric(key.publicKey, challenge, normaliseEcdsa(outcome.raw, 'P-256'))) {
      throw fault('HSM_KEY_UNPROVED', { key: key.label });
    }
  } finally {
    session.close();
  }
}
