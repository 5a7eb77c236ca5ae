import type { KvRwSet } from './fabric-rwset.ts';
import { fault } from './faults.ts';
import { verifyRotation } from './key-rotation.ts';
import { lifecycleKeys } from './lifecycle.ts';

const keyPrefix = lifecycleKeys.rotation('');

/** Whether a transaction of `_lifecycle` is about a key's rotation. */
export function isAboutRotation({ writes }: KvRwSet): boolean {
  return writes.some(({ key }) => key.startsWith(keyPrefix));
}

/**
 * Lets through the record of one rotation, signed by both keys, under the key's own name.
 *
 * @throws FORMATS_DEFINITION_INVALID, FORMATS_ROTATION_INVALID, FORMATS_PROTOBUF_…, CRYPTO_…
 */
export function checkRotationWrites({ writes, metadataWrites }: KvRwSet): void {
  const [write, ...others] = writes;
  const isAlone = write !== undefined && others.length + metadataWrites.length === 0;
  if (!isAlone || write.isDelete) {
    throw fault('FORMATS_DEFINITION_INVALID', { reason: 'more than a rotation' });
  }
  const { key } = verifyRotation(write.value);
  if (write.key !== lifecycleKeys.rotation(key)) {
    throw fault('FORMATS_DEFINITION_INVALID', {
      reason: 'rotation of another key',
      key: write.key,
    });
  }
}
