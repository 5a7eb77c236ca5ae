import { pkcs11Codes } from './pkcs11-codes.ts';
import type { Pkcs11Class } from './pkcs11-codes.ts';

/** A return value other than CKR_OK; `code` is -1 when the error did not come from the token. */
export interface Pkcs11Failure {
  readonly code: number;
  readonly name: string;
}

/**
 * Reads the return value out of whatever the binding threw. Some of its functions throw an error
 * with `code`, some a bare message `CKR_…:16`, and wrong argument types are TypeErrors.
 */
export function readPkcs11Error(error: unknown): Pkcs11Failure {
  const message = error instanceof Error ? error.message : String(error);
  const inMessage = /\b(CKR_[A-Z0-9_]+):(\d+)/.exec(message);
  const code = inMessage === null ? codeOf(error) : Number(inMessage[2]);
  if (code === undefined || !Number.isSafeInteger(code) || code <= 0) {
    return { code: -1, name: 'NOT_FROM_TOKEN' };
  }
  // The binding calls every number it does not know CKR_VENDOR_DEFINED, so the table goes first.
  const name = pkcs11Codes.get(code)?.[0] ?? `CKR_0x${code.toString(16).padStart(8, '0')}`;
  return { code, name };
}

/**
 * @param during an unknown return value of a signature spoils the session only; anywhere else
 *   nobody knows what it means, so nothing is tried on top of it.
 */
export function classifyPkcs11(failure: Pkcs11Failure, during: 'sign' | 'setup'): Pkcs11Class {
  const known = pkcs11Codes.get(failure.code)?.[1];
  if (known !== undefined) return known;
  return during === 'sign' && failure.code !== -1 ? 'newSession' : 'operator';
}

function codeOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'number' ? error.code : undefined;
}
