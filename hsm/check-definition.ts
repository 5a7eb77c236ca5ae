import { Fault } from '#base';
import {
  checkApprovalWrites,
  checkLifecycleWrites,
  checkRotationWrites,
  isAboutApprovals,
  isAboutRotation,
} from '#formats';
import type { KvRwSet } from '#formats';
import { fault } from './faults.ts';

/**
 * Allows only writes to `_lifecycle` that define a contract in the one form stock peers can take,
 * one organisation's approvals, or the rotation of one key. A peer that reads any other definition stops, at this block and again
 * at every restart.
 *
 * @param mspid the organisation of the key that is to endorse.
 * @throws HSM_DEFINITION_INVALID
 */
export function checkDefinition(rwset: KvRwSet, mspid: string): void {
  try {
    if (isAboutRotation(rwset)) checkRotationWrites(rwset);
    else if (isAboutApprovals(rwset)) checkApprovalWrites(rwset, mspid);
    else checkLifecycleWrites(rwset.writes);
  } catch (cause) {
    if (!(cause instanceof Fault)) throw cause;
    throw fault('HSM_DEFINITION_INVALID', { reason: cause.code, ...cause.detail }, cause);
  }
}
