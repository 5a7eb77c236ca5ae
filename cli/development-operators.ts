import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { keyPem } from './development-ca.ts';
import type { NetworkLayout } from './network-layout.ts';

/** In a development network their keys lie side by side; real ones are with real people. */
export const developmentOperators = ['operator-1', 'operator-2', 'operator-3'] as const;

/**
 * Makes operators and the policy that any two of them order under, one file for each token: from
 * then on each changes by orders to that token.
 */
export function makeOperators(
  layout: NetworkLayout,
  zoneName: string,
  tokenNames: readonly string[],
): void {
  const operators = developmentOperators.map((id) => {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const file = layout.operatorKey(id);
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    writeFileSync(file, keyPem(privateKey), { mode: 0o600 });
    return { id, publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString() };
  });
  const policy = {
    typ: 'countersign-operators/1',
    zone: zoneName,
    relyingPartyId: 'localhost',
    origin: 'https://localhost',
    userVerification: true,
    operators,
    approvals: 2,
    // Importing is left as dangerous as it is: nobody needs it every day.
    rules: {},
  };
  const text = `${JSON.stringify(policy, undefined, 2)}\n`;
  for (const name of tokenNames) writeFileSync(layout.operatorPolicy(name), text, { mode: 0o600 });
}
