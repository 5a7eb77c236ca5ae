import { generateKeyPairSync, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { toBase64Url, utf8 } from '#base';
import { approvalParts, parseOperatorPolicy } from '#custody';
import type { Approval, OperatorPolicy } from '#custody';

/** Operators with keys in software, as tests need them. */
export interface OperatorSetting {
  policy: OperatorPolicy;
  policyBytes: Uint8Array;
  privateKeys: ReadonlyMap<string, KeyObject>;
  approve: (operator: string, document: Uint8Array) => Approval;
}

export function ecKeyPair(): { privateKey: KeyObject; publicPem: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { privateKey, publicPem: publicKey.export({ type: 'spki', format: 'pem' }).toString() };
}

/** Three operators, two of whom suffice; destroying a key takes all three and an hour. */
export function operatorSetting(changes: Readonly<Record<string, unknown>> = {}): OperatorSetting {
  const pairs = new Map(['alice', 'bob', 'carol'].map((id) => [id, ecKeyPair()]));
  const policyBytes = utf8(
    JSON.stringify({
      typ: 'countersign-operators/1',
      zone: 'test-zone',
      relyingPartyId: 'zone.example',
      origin: 'https://zone.example',
      userVerification: true,
      operators: [...pairs].map(([id, { publicPem }]) => ({ id, publicKey: publicPem })),
      approvals: 2,
      rules: { 'key.destroy': { approvals: 3, delaySeconds: 3600 } },
      ...changes,
    }),
  );
  const policy = parseOperatorPolicy(policyBytes);
  const privateKeys = new Map([...pairs].map(([id, { privateKey }]) => [id, privateKey]));
  return {
    policy,
    policyBytes,
    privateKeys,
    approve: (operator, document) =>
      approveWith(operator, privateKeys.get(operator) as KeyObject, document, policy),
  };
}

export function approveWith(
  operator: string,
  key: KeyObject,
  document: Uint8Array,
  rules: Parameters<typeof approvalParts>[1],
): Approval {
  const { authenticatorData, clientDataJSON, signedBytes } = approvalParts(document, rules);
  return {
    operator,
    authenticatorData: toBase64Url(authenticatorData),
    clientDataJSON: toBase64Url(clientDataJSON),
    signature: toBase64Url(sign(digestOf(key), signedBytes, key)),
  };
}

/** As ES256, ES384, RS256 and EdDSA have it; Ed25519 has its digest built in. */
function digestOf(key: KeyObject): string | null {
  if (key.asymmetricKeyType === 'ed25519') return null;
  return key.asymmetricKeyDetails?.namedCurve === 'secp384r1' ? 'sha384' : 'sha256';
}
