import { resolve } from 'node:path';
import { fromHex, toBase64Url } from '#base';
import type { SubjectFields } from '#crypto';
import type { CaCall } from './ca-call.ts';
import { findSoftHsmModule } from './module-path.ts';
import { performTask } from './run-provisioning.ts';
import { tokenFiles } from './token-files.ts';

/** A key of a token made by `runProvisioning`. */
export interface KeyInToken {
  readonly dir: string;
  /** Of the token. */
  readonly label: string;
  /** CKA_LABEL of the key. */
  readonly key: string;
  readonly module?: string;
}

/**
 * Has a key sign a request for its own certificate; its signer host may be running.
 *
 * @returns PKCS#10, DER.
 * @throws SOFTHSM_MODULE_MISSING, SOFTHSM_TOKEN_ABSENT, SOFTHSM_KEY_ABSENT,
 *   SOFTHSM_PROVISIONING_FAILED
 */
export async function requestCertificate(
  of: KeyInToken,
  subject: SubjectFields,
): Promise<Uint8Array> {
  return perform(of, { kind: 'csr', subject });
}

/** Has a key authorise one call to a Fabric CA. @returns the signature, DER with low s. */
export async function authoriseCaCall(of: KeyInToken, call: CaCall): Promise<Uint8Array> {
  return perform(of, { kind: 'authorise', call });
}

/** Has a key sign the line of a ceremony that tells of it. @returns the signature, DER with low s. */
export async function proveKey(of: KeyInToken, line: Uint8Array): Promise<Uint8Array> {
  return perform(of, { kind: 'prove', line: toBase64Url(line) });
}

async function perform(
  of: KeyInToken,
  what:
    | { kind: 'csr'; subject: SubjectFields }
    | { kind: 'authorise'; call: CaCall }
    | { kind: 'prove'; line: string },
): Promise<Uint8Array> {
  const dir = resolve(of.dir);
  const { label, key } = of;
  const module = findSoftHsmModule(of.module);
  const task = { ...what, module, label, key, userPinFile: tokenFiles(dir).userPin };
  const answer = (await performTask(dir, task)) as string;
  return fromHex(answer) ?? new Uint8Array(0);
}
