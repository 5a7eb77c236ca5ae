import { emptyBytes } from '#base';
import { metadataIndexes } from './fabric-common.ts';
import type { Block } from './fabric-common.ts';
import type { FilteredBlock, FilteredTransactionActions } from './fabric-events.ts';
import { validationCodes } from './fabric-peer.ts';
import type { ChaincodeEvent } from './fabric-peer.ts';
import { toldTransaction } from './told-transaction.ts';

/**
 * What a client may know of a block without reading it: ids, codes, and which events there were.
 *
 * @param block with TRANSACTIONS_FILTER filled in.
 * @see Fabric core/peer/deliverevents.go, toFilteredBlock.
 */
export function filteredBlockOf({ header, data, metadata }: Block): FilteredBlock {
  const codes = metadata?.metadata[metadataIndexes.transactionsFilter];
  const filtered: FilteredBlock = {
    channelId: '',
    number: header?.number ?? 0n,
    filteredTransactions: [],
  };
  for (const [index, envelope] of (data?.data ?? []).entries()) {
    const told = toldTransaction(envelope);
    if (told === undefined) continue;
    const { channelId, txId, type } = told.channelHeader;
    filtered.channelId = channelId;
    filtered.filteredTransactions.push({
      txid: txId,
      type,
      txValidationCode: codes?.[index] ?? validationCodes.NOT_VALIDATED,
      transactionActions: told.events && actionsOf(told.events),
    });
  }
  return filtered;
}

function actionsOf(events: readonly ChaincodeEvent[]): FilteredTransactionActions {
  return {
    chaincodeActions: events
      .filter(({ chaincodeId }) => chaincodeId !== '')
      .map((event) => ({ chaincodeEvent: { ...event, payload: emptyBytes } })),
  };
}
