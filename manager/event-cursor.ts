import type { ChaincodeEvent, ChaincodeEventsRequest, SeekPosition } from '#formats';
import type { Ledger } from '#ledger';
import type { TransactionEvents } from './block-events.ts';
import { parseEventId } from './event-ids.ts';
import type { EventPlace } from './event-ids.ts';
import { CallFailure, grpcCodes } from './grpc-faults.ts';

/**
 * Where a client stands in the ledger: behind the event it names, or where it asks to begin.
 * A client that names a transaction which is in no block gets nothing until it is in one.
 */
export class EventCursor {
  /** The first block that has to be looked at. */
  readonly startBlock: bigint;
  readonly #ledger: Pick<Ledger, 'transaction'>;
  readonly #chaincodeId: string;
  /** Set until it lies behind. */
  #after: EventPlace | undefined;

  /** @throws CallFailure INVALID_ARGUMENT */
  constructor(request: ChaincodeEventsRequest, ledger: Pick<Ledger, 'height' | 'transaction'>) {
    const { afterTransactionId, chaincodeId, startPosition } = request;
    this.#ledger = ledger;
    this.#chaincodeId = chaincodeId;
    this.#after = afterTransactionId === '' ? undefined : parseEventId(afterTransactionId);
    const place = this.#after && ledger.transaction(this.#after.txId);
    this.startBlock = place?.blockNumber ?? startOf(startPosition, ledger.height);
  }

  /** The events of a block that are still to be sent; blocks come in their order. */
  take(number: bigint, transactions: readonly TransactionEvents[]): ChaincodeEvent[] {
    return this.#unseen(number, transactions).filter(
      ({ chaincodeId }) => chaincodeId === this.#chaincodeId,
    );
  }

  #unseen(number: bigint, transactions: readonly TransactionEvents[]): ChaincodeEvent[] {
    const after = this.#after;
    if (after === undefined) return transactions.flatMap(({ events }) => events);
    const place = this.#ledger.transaction(after.txId);
    if (place === undefined || place.blockNumber > number) return [];
    this.#after = undefined;
    if (place.blockNumber < number) return transactions.flatMap(({ events }) => events);
    return transactions.flatMap(({ index, events }) => {
      if (index !== place.index) return index > place.index ? events : [];
      return after.index === undefined ? [] : events.slice(after.index + 1);
    });
  }
}

/** @throws CallFailure INVALID_ARGUMENT */
function startOf(position: SeekPosition | undefined, height: bigint): bigint {
  const { specified, oldest, newest } = position ?? {};
  if (specified !== undefined) return specified.number;
  if (oldest === undefined && newest === undefined) return height;
  const type = oldest === undefined ? 'newest' : 'oldest';
  throw new CallFailure(grpcCodes.invalidArgument, `invalid start position type: ${type}`);
}
