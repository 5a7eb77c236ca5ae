import { fault } from './faults.ts';

/** States of a key. @see NIST SP 800-57 Part 1 Rev. 5, section 7. */
export const keyStates = [
  'pre-activation',
  'active',
  'deactivated',
  'compromised',
  'destroyed',
  'destroyed-compromised',
] as const;
export type KeyState = (typeof keyStates)[number];

/**
 * A private signature key has no use once it signs no more, so `deactivated` is only the time in
 * which its last signatures are delivered; a suspended key would be a way back, and there is none.
 */
const successors: Readonly<Record<KeyState, readonly KeyState[]>> = {
  'pre-activation': ['active', 'compromised', 'destroyed'],
  active: ['deactivated', 'compromised'],
  deactivated: ['compromised', 'destroyed'],
  compromised: ['destroyed-compromised'],
  destroyed: ['destroyed-compromised'],
  'destroyed-compromised': [],
};

/** @throws CUSTODY_KEY_STATE_DENIED */
export function nextKeyState(from: KeyState, to: KeyState): KeyState {
  if (!successors[from].includes(to)) throw fault('CUSTODY_KEY_STATE_DENIED', { from, to });
  return to;
}

/** Whether the token signs with a key in this state. */
export function maySign(state: KeyState): boolean {
  return state === 'active';
}

/** Whether the private object is, or should be, in the token. */
export function isInToken(state: KeyState): boolean {
  return state !== 'destroyed' && state !== 'destroyed-compromised';
}
