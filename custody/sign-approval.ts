import { sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { concatBytes, toBase64Url, utf8 } from '#base';
import { sha256 } from '#crypto';
import { userPresent, userVerified } from './approval.ts';
import type { Approval, ApprovalRules } from './approval.ts';

/** Approves a document with a key in software, as an authenticator without counter would. */
export function signApproval(
  operator: string,
  key: KeyObject,
  document: Uint8Array,
  rules: ApprovalRules,
): Approval {
  const flags = Uint8Array.of(userPresent | userVerified, 0, 0, 0, 0);
  const authenticatorData = concatBytes(sha256(utf8(rules.relyingPartyId)), flags);
  const clientDataJSON = utf8(
    JSON.stringify({
      type: 'webauthn.get',
      challenge: toBase64Url(sha256(document)),
      origin: rules.origin,
    }),
  );
  const signed = concatBytes(authenticatorData, sha256(clientDataJSON));
  return {
    operator,
    authenticatorData: toBase64Url(authenticatorData),
    clientDataJSON: toBase64Url(clientDataJSON),
    signature: toBase64Url(sign(digestOf(key), signed, key)),
  };
}

/** As ES256, ES384, RS256 and EdDSA have it; Ed25519 has its digest built in. */
function digestOf(key: KeyObject): string | null {
  if (key.asymmetricKeyType === 'ed25519') return null;
  return key.asymmetricKeyDetails?.namedCurve === 'secp384r1' ? 'sha384' : 'sha256';
}
