import pkcs11js from 'pkcs11js';
import { fault } from './faults.ts';
import { classifyPkcs11, readPkcs11Error } from './pkcs11-errors.ts';
import type { Pkcs11Failure } from './pkcs11-errors.ts';
import type { Handle, Pkcs11 } from './pkcs11-module.ts';
import { openSession } from './pkcs11-session.ts';
import type { PinRecord } from './pin-record.ts';

/** A token we are logged in to. Its first session stays open: closing the last one logs out. */
export interface Token {
  readonly pkcs11: Pkcs11;
  readonly slot: Handle;
  readonly anchor: Handle;
  /** Logs in anew where the login was lost; as strict about a refused PIN as the first one. */
  logIn(pin: string): void;
}

/**
 * Finds the one token of this label and logs in, with one attempt.
 *
 * @param pin never kept, and never tried when the record says that the token refused it before.
 * @throws HSM_TOKEN_ABSENT, HSM_TOKEN_AMBIGUOUS, HSM_PIN_WRONG, HSM_PIN_LOCKED, HSM_LOGIN_FAILED
 */
export function openToken(pkcs11: Pkcs11, label: string, pin: string, record: PinRecord): Token {
  const slot = findSlot(pkcs11, label);
  const { serialNumber, flags } = pkcs11.C_GetTokenInfo(slot);
  const serial = serialNumber.trimEnd();
  // Trying would tell nothing new, and some tokens count it.
  if ((flags & pkcs11js.CKF_USER_PIN_LOCKED) !== 0) throw fault('HSM_PIN_LOCKED', { token: label });
  let anchor = openSession(pkcs11, slot);
  const logIn = (presented: string) => {
    const detail = { token: label };
    if (record.wasRefused(serial, presented)) {
      throw fault('HSM_PIN_WRONG', { ...detail, reason: 'refused at an earlier start' });
    }
    let failure = login(pkcs11, anchor, presented);
    if (failure !== undefined && classifyPkcs11(failure, 'setup') === 'newSession') {
      // Tokens end sessions that are idle, and this one always is.
      anchor = openSession(pkcs11, slot);
      failure = login(pkcs11, anchor, presented);
    }
    if (failure === undefined) return;
    const { code, name } = failure;
    // The PIN may be right: once the token is unlocked it is to be tried.
    if (code === pkcs11js.CKR_PIN_LOCKED) throw fault('HSM_PIN_LOCKED', { ...detail, name });
    if (code === pkcs11js.CKR_PIN_EXPIRED) throw fault('HSM_PIN_EXPIRED', { ...detail, name });
    if (!pinCodes.has(code)) {
      const isTheirs = classifyPkcs11(failure, 'setup') === 'operator';
      throw fault(isTheirs ? 'HSM_LOGIN_FAILED' : 'HSM_TOKEN_LOST', { ...detail, name });
    }
    // A restart loop with a wrong PIN would lock the token for good.
    record.refuse(serial, presented);
    throw fault('HSM_PIN_WRONG', { ...detail, name });
  };
  try {
    logIn(pin);
  } catch (error) {
    pkcs11.C_CloseSession(anchor);
    throw error;
  }
  return {
    pkcs11,
    slot,
    get anchor() {
      return anchor;
    },
    logIn,
  };
}

const pinCodes: ReadonlySet<number> = new Set([
  pkcs11js.CKR_PIN_INCORRECT,
  pkcs11js.CKR_PIN_INVALID,
  pkcs11js.CKR_PIN_LEN_RANGE,
]);

function login(pkcs11: Pkcs11, session: Handle, pin: string): Pkcs11Failure | undefined {
  try {
    pkcs11.C_Login(session, pkcs11js.CKU_USER, pin);
  } catch (error) {
    const failure = readPkcs11Error(error);
    // The login belongs to the process, not to the session.
    if (failure.code !== pkcs11js.CKR_USER_ALREADY_LOGGED_IN) return failure;
  }
  return undefined;
}

function findSlot(pkcs11: Pkcs11, label: string): Handle {
  const slots = pkcs11
    .C_GetSlotList(true)
    .filter((slot) => pkcs11.C_GetTokenInfo(slot).label.trimEnd() === label);
  const [slot] = slots;
  if (slot === undefined) throw fault('HSM_TOKEN_ABSENT', { token: label });
  if (slots.length > 1) throw fault('HSM_TOKEN_AMBIGUOUS', { token: label, count: slots.length });
  return slot;
}
