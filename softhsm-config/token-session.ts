import { Module, SessionFlag, UserType } from 'graphene-pk11';
import type { Session, Slot } from 'graphene-pk11';
import { fault } from './faults.ts';

/** CKF_OS_LOCKING_OK: without it the module drops its locks for the whole process. */
const initializeFlags = { flags: 2 };

/** Runs with the module loaded and initialised, and finalises it. */
export async function withModule<Value>(
  file: string,
  use: (module: Module) => Value | Promise<Value>,
): Promise<Value> {
  const module = Module.load(file, 'PKCS#11');
  module.initialize(initializeFlags);
  try {
    return await use(module);
  } finally {
    module.finalize();
    module.close();
  }
}

/** Runs logged in to a slot, with one attempt. */
export async function withLogin<Value>(
  slot: Slot,
  user: 'user' | 'securityOfficer',
  pin: string,
  use: (session: Session) => Value | Promise<Value>,
): Promise<Value> {
  const session = slot.open(SessionFlag.SERIAL_SESSION | SessionFlag.RW_SESSION);
  try {
    session.login(pin, user === 'user' ? UserType.USER : UserType.SO);
    const value = await use(session);
    session.logout();
    return value;
  } finally {
    session.close();
  }
}

/** @throws SOFTHSM_TOKEN_ABSENT unless exactly one token carries the label. */
export function slotOf(module: Module, label: string): Slot {
  const slots = module.getSlots(true);
  const found: Slot[] = [];
  for (let index = 0; index < slots.length; index += 1) {
    const slot = slots.items(index);
    if (slot.getToken().label.trimEnd() === label) found.push(slot);
  }
  const [slot] = found;
  if (slot === undefined || found.length > 1) {
    throw fault('SOFTHSM_TOKEN_ABSENT', { label, count: found.length });
  }
  return slot;
}
