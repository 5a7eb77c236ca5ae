import { Fault } from '#base';
import {
  bundleEventName,
  bundleOf,
  metadataIndexes,
  parseTransaction,
  toldTransaction,
  validationCodes,
} from '#formats';
import type { Block, Bundle, ChaincodeEvent } from '#formats';
import { eventId } from './event-ids.ts';

/** The events of one valid transaction, as clients get them. */
export interface TransactionEvents {
  /** Its place in the block. */
  index: number;
  events: ChaincodeEvent[];
}

/**
 * The events of a block's valid transactions, in block order; those of a bundle's requests one by one.
 *
 * @param block with TRANSACTIONS_FILTER filled in.
 * @see Fabric internal/pkg/gateway/event.
 */
export function blockEvents({ data, metadata }: Block): TransactionEvents[] {
  const codes = metadata?.metadata[metadataIndexes.transactionsFilter];
  return (data?.data ?? []).flatMap((envelope, index) => {
    if (codes?.[index] !== validationCodes.VALID) return [];
    const events = toldTransaction(envelope)?.events ?? [];
    return [{ index, events: events.flatMap((event) => tellSingly(event, envelope)) }];
  });
}

function tellSingly(event: ChaincodeEvent, envelope: Uint8Array): ChaincodeEvent[] {
  const { chaincodeId, eventName, txId } = event;
  if (chaincodeId === '' || eventName === '' || txId === '') return [];
  const bundle = eventName === bundleEventName ? readBundle(envelope) : undefined;
  if (bundle === undefined) return [event];
  return bundle.events.map(({ name, payload }, index, { length }) => ({
    chaincodeId,
    txId: eventId(txId, index, length),
    eventName: name,
    payload,
  }));
}

/** Another transaction may use the name, too: its event is passed on as it is. */
function readBundle(envelope: Uint8Array): Bundle | undefined {
  try {
    return bundleOf(parseTransaction(envelope));
  } catch (error) {
    if (error instanceof Fault) return undefined;
    throw error;
  }
}
