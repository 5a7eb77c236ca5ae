import type { OrderAction } from './operator-policy.ts';
import type { Order } from './order.ts';

/**
 * What a host does when an order is carried out. The order was authorised and is on record; what an
 * action returns is recorded as its result, what it throws as its failure. It must bear being cut off:
 * after a crash the order counts as used and is not carried out again.
 */
export type OrderActions = Partial<
  Record<
    OrderAction,
    (
      parameters: Readonly<Record<string, string>>,
      order: Order,
    ) => Promise<Readonly<Record<string, string>>>
  >
>;

/** Records a step of an order, or one that follows from it, durably: the step comes after it returned. */
export type RecordStep = (event: string, facts: Readonly<Record<string, string>>) => void;
