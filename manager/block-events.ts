import { Fault } from '#base';
import {
  ChaincodeEvent,
  bundleOf,
  headerTypes,
  metadataIndexes,
  parseTransaction,
  validationCodes,
} from '#formats';
import type { Block, ParsedTransaction } from '#formats';
import { eventId } from './event-ids.ts';

/** The events of one valid transaction, as clients get them. */
export interface TransactionEvents {
  txId: string;
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
  const found: TransactionEvents[] = [];
  for (const [index, envelope] of (data?.data ?? []).entries()) {
    if (codes?.[index] !== validationCodes.VALID) continue;
    const parsed = parseTransaction(envelope);
    if (parsed.channelHeader.type !== headerTypes.endorserTransaction) continue;
    const events = eventsOf(parsed).filter(isWhole);
    found.push({ txId: parsed.channelHeader.txId, index, events });
  }
  return found;
}

function eventsOf(parsed: ParsedTransaction): ChaincodeEvent[] {
  const bytes = parsed.endorsed?.action.events;
  if (bytes === undefined || bytes.length === 0) return [];
  const bundle = bundleOf(parsed);
  if (bundle === undefined || bundle.events.length === 0) return readEvent(bytes);
  const { txId } = parsed.channelHeader;
  return bundle.events.map(({ name, payload }, index, { length }) => ({
    chaincodeId: bundle.contract,
    txId: eventId(txId, index, length),
    eventName: name,
    payload,
  }));
}

/** What is no event is passed over, as a stock peer does. */
function readEvent(bytes: Uint8Array): ChaincodeEvent[] {
  try {
    return [ChaincodeEvent.decode(bytes)];
  } catch (error) {
    if (error instanceof Fault) return [];
    throw error;
  }
}

function isWhole({ chaincodeId, eventName, txId }: ChaincodeEvent): boolean {
  return chaincodeId !== '' && eventName !== '' && txId !== '';
}
