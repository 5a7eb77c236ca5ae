import { Fault } from '#base';
import { checkLifecycleWrites } from '#formats';
import type { KvRwSet } from '#formats';
import { fault } from './faults.ts';

/**
 * Allows only writes to `_lifecycle` that define a contract in the one form stock peers can take.
 * A peer that reads any other stops, at this block and again at every restart.
 *
 * @throws HSM_DEFINITION_INVALID
 */
export function checkDefinition(rwset: KvRwSet): void {
  if (rwset.metadataWrites.length > 0) {
    throw fault('HSM_DEFINITION_INVALID', { reason: 'metadata writes' });
  }
  try {
    checkLifecycleWrites(rwset.writes);
  } catch (cause) {
    if (!(cause instanceof Fault)) throw cause;
    throw fault('HSM_DEFINITION_INVALID', { reason: cause.code, ...cause.detail }, cause);
  }
}
