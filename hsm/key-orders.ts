import { fromBase64, toBase64 } from '#base';
import { importPublicKey } from '#crypto';
import type { OrderActions, RecordStep } from '#custody';
import { fault } from './faults.ts';
import type { KeyRotations } from './key-rotations.ts';

/**
 * What operators can order of keys. What is to be brought from outside, their policy has to name, or
 * the order does not come here: see `authorise`.
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
    /** Makes what a key is wrapped under that is to be brought as the next version of `key`. */
    'key.generate': async (parameters) => {
      const key = demand(parameters, 'key');
      const { spki, fingerprint } = await rotations.wrappingKey(key);
      return { key, wrappingKey: toBase64(spki), fingerprint };
    },
    /** `publicKey`: base64 of its SubjectPublicKeyInfo; `wrapped`: base64, see OPERATING.md. */
    'key.import': async (parameters, order) => {
      const key = demand(parameters, 'key');
      const publicKey = importPublicKey(bytesOf(parameters, 'publicKey'));
      if (publicKey.kind !== 'P-256') throw fault('HSM_CALL_MALFORMED', { kind: publicKey.kind });
      const brought = { publicKey, wrapped: bytesOf(parameters, 'wrapped') };
      const { label, version, csr } = await rotations.begin(key, order.hash, brought);
      const { fingerprint } = publicKey;
      return { key, label, version: String(version), fingerprint, csr: toBase64(csr) };
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
function bytesOf(parameters: Readonly<Record<string, string>>, name: string): Uint8Array {
  const bytes = fromBase64(demand(parameters, name));
  if (bytes === undefined) throw fault('HSM_CALL_MALFORMED', { missing: name });
  return bytes;
}

/** @throws HSM_CALL_MALFORMED */
function demand(parameters: Readonly<Record<string, string>>, name: string): string {
  const value = parameters[name];
  if (value === undefined || value === '') throw fault('HSM_CALL_MALFORMED', { missing: name });
  return value;
}
