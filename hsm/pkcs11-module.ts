import pkcs11js from 'pkcs11js';
import { fault } from './faults.ts';
import { readPkcs11Error } from './pkcs11-errors.ts';

export type Pkcs11 = InstanceType<typeof pkcs11js.PKCS11>;
/** A session, slot or object number as the binding hands it out: eight bytes. */
export type Handle = Buffer;

/**
 * Initialises a loaded module for use by several threads; the caller finalises it.
 *
 * @param file for faults.
 * @throws HSM_MODULE_SHARED, HSM_MODULE_UNSAFE, HSM_TOKEN_LOST
 * @see PKCS#11 v3.1, C_Initialize: without CKF_OS_LOCKING_OK the module may drop all its locks, and
 *   two threads signing at once then corrupt its memory.
 */
export function initialiseModule(pkcs11: Pkcs11, file: string): void {
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
}

/**
 * Loads a module; other threads of a process may use it as soon as its main thread has initialised it.
 *
 * @throws HSM_MODULE_MISSING
 */
export function loadModule(file: string): Pkcs11 {
  const pkcs11 = new pkcs11js.PKCS11();
  try {
    pkcs11.load(file);
  } catch (cause) {
    throw fault('HSM_MODULE_MISSING', { file }, cause);
  }
  return pkcs11;
}
