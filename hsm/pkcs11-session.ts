import pkcs11js from 'pkcs11js';
import type { Handle, Pkcs11 } from './pkcs11-module.ts';

/** Opens a session that signs; the caller closes it. */
export function openSession(pkcs11: Pkcs11, slot: Handle): Handle {
  return pkcs11.C_OpenSession(slot, pkcs11js.CKF_SERIAL_SESSION);
}
