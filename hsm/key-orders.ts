import { toBase64 } from '#base';
import type { OrderActions, RecordStep } from '#custody';
import { fault } from './faults.ts';
import type { KeyRotations } from './key-rotations.ts';

/**
 * What operators can order of keys. There is no entry that brings a key from outside, whatever the
 * operators agree on: `key.import` is refused like anything else that cannot be ordered.
 *
 * @param record for the steps that follow from an order once the ledger has answered.
 */
export function keyOrders(rotations: KeyRotations, record: RecordStep): OrderActions {
  rotations.recordSteps(record);
  return {
    'key.rotate': async (parameters, order) => {
      const key = demand(parameters, 'key');
      const { label, version, csr } = await rotations.begin(key, order.hash);
      return { key, label, version: String(version), csr: toBase64(csr) };
    },
    'key.compromised': async (parameters) => ({
      label: await rotations.compromise(demand(parameters, 'key')),
    }),
    'key.destroy': async (parameters) => {
      const version = Number(demand(parameters, 'version'));
      const { label, fingerprint } = await rotations.destroy(demand(parameters, 'key'), version);
      return { label, fingerprint };
    },
  };
}

/** @throws HSM_CALL_MALFORMED */
function demand(parameters: Readonly<Record<string, string>>, name: string): string {
  const value = parameters[name];
  if (value === undefined || value === '') throw fault('HSM_CALL_MALFORMED', { missing: name });
  return value;
}
