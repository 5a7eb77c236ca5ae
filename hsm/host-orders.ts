import type { OrderActions, RecordStep } from '#custody';
import { guardOrders } from './guard-orders.ts';
import { keyOrders } from './key-orders.ts';
import type { SignerParts } from './signer-methods.ts';

/**
 * What operators can order of a signer host; whatever has no entry is refused before it is recorded.
 *
 * @param record for what happens after an order was answered, such as the end of a drained key.
 */
export function hostOrders({ rotations, guard }: SignerParts, record: RecordStep): OrderActions {
  return { ...keyOrders(rotations, record), ...guardOrders(guard) };
}
