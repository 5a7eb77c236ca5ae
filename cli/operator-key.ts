import { createPrivateKey, createPublicKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { readSecret } from '#base';
import { importPublicKey } from '#crypto';
import { signApproval } from '#custody';
import type { Approval, ApprovalRules, Operator } from '#custody';
import { spkiOf } from './development-ca.ts';
import { fault } from './faults.ts';

/** An operator's signing key that is kept in a file: an authenticator's would be kept in itself. */
export interface OperatorKey {
  /** Of its public half, as policies name operators. */
  readonly fingerprint: string;
  /** Approves these bytes as this operator. */
  approve(operator: string, document: Uint8Array, rules: ApprovalRules): Approval;
}

/** @param file PEM of a private key. @throws CLI_OPERATOR_KEY_WRONG, BASE_SECRET_UNREADABLE */
export function readOperatorKey(file: string): OperatorKey {
  const key = parseKey(file, readSecret(file));
  const { fingerprint } = importPublicKey(spkiOf(createPublicKey(key)));
  return {
    fingerprint,
    approve: (operator, document, rules) => signApproval(operator, key, document, rules),
  };
}

/** Whose key it is. @throws CLI_OPERATOR_KEY_WRONG */
export function operatorOf(key: OperatorKey, operators: ReadonlyMap<string, Operator>): Operator {
  const found = [...operators.values()].find(
    ({ publicKey }) => publicKey.fingerprint === key.fingerprint,
  );
  if (found === undefined) throw fault('CLI_OPERATOR_KEY_WRONG', { why: 'no operator has it' });
  return found;
}

function parseKey(file: string, pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (cause) {
    throw fault('CLI_OPERATOR_KEY_WRONG', { file }, cause);
  }
}
