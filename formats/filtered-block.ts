import { metadataIndexes } from './fabric-common.ts';
import type { Block } from './fabric-common.ts';
import type { FilteredBlock, FilteredTransaction } from './fabric-events.ts';
import { ChaincodeEvent, validationCodes } from './fabric-peer.ts';
import { parseTransaction } from './transaction.ts';
import type { EndorsedAction } from './transaction.ts';

/**
 * What a client may know of a block without reading it: ids, codes, and which events there were.
 *
 * @param block with TRANSACTIONS_FILTER filled in.
 * @throws FORMATS_PROTOBUF_INVALID, FORMATS_TRANSACTION_MALFORMED
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
    const { channelHeader, endorsed } = parseTransaction(envelope);
    filtered.channelId = channelHeader.channelId;
    const transaction: FilteredTransaction = {
      txid: channelHeader.txId,
      type: channelHeader.type,
      txValidationCode: codes?.[index] ?? validationCodes.NOT_VALIDATED,
      transactionActions: endorsed && { chaincodeActions: actionsOf(endorsed) },
    };
    filtered.filteredTransactions.push(transaction);
  }
  return filtered;
}

function actionsOf({ action }: EndorsedAction) {
  const { chaincodeId, txId, eventName } = ChaincodeEvent.decode(action.events);
  if (chaincodeId === '') return [];
  return [{ chaincodeEvent: { chaincodeId, txId, eventName, payload: new Uint8Array(0) } }];
}
