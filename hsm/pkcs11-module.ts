import pkcs11js from 'pkcs11js';
import { fault } from './faults.ts';
import { readPkcs11Error } from './pkcs11-errors.ts';

export type Pkcs11 = InstanceType<typeof pkcs11js.PKCS11>;
/** A session, slot or object number as the binding hands it out: eight bytes. */
export type Handle = Buffer;

/**
 * Loads the module and initialises it for use by several threads; the caller finalises it.
 *
 * @throws HSM_MODULE_MISSING, HSM_MODULE_SHARED, HSM_MODULE_UNSAFE, HSM_TOKEN_LOST
 * @see PKCS#11 v3.1, C_Initialize: without CKF_OS_LOCKING_OK the module may drop all its locks, and
 *   two threads signing at once then corrupt its memory.
 */
export function openModule(file: string): Pkcs11 {
  const pkcs11 = loadModule(file);
  try {
    pkcs11.C_Initialize({ flags: pkcs11js.CKF_OS_LOCKING_OK });
  } catch (cause) {
    const { code, name } = readPkcs11Error(cause);
    // Someone who initialised it without locks cannot be corrected from here.
    if (code === pkcs11js.CKR_CRYPTOKI_ALREADY_INITIALIZED)
      throw fault('HSM_MODULE_SHARED', { file });
    if (code === pkcs11js.CKR_CANT_LOCK) throw fault('HSM_MODULE_UNSAFE', { file });
    throw fault('HSM_TOKEN_LOST', { file, name }, cause);
  }
  return pkcs11;
}

/** Loads a module that the main thread of this process has initialised; for its other threads. */
export function loadModule(file: string): Pkcs11 {
  const pkcs11 = new pkcs11js.PKCS11();
  try {
    pkcs11.load(file);
  } catch (cause) {
    throw fault('HSM_MODULE_MISSING', { file }, cause);
  }
  return pkcs11;
}
