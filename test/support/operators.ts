import { generateKeyPairSync } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { utf8 } from '#base';
import { parseOperatorPolicy, signApproval } from '#custody';
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
      signApproval(operator, privateKeys.get(operator) as KeyObject, document, policy),
  };
}
