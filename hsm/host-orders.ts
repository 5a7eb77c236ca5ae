import type { OrderActions, RecordStep } from '#custody';
import type { SignerParts } from './signer-methods.ts';

/**
 * What operators can order of a signer host; whatever has no entry is refused before it is recorded.
 *
 * @param _record for what happens after an order was answered, such as the end of a drained key.
 */
export function hostOrders(_parts: SignerParts, _record: RecordStep): OrderActions {
  return {};
}
