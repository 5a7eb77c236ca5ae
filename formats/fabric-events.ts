/** Messages of fabric-protos peer/events.proto: blocks as a peer tells its clients of them. */
import { Block } from './fabric-common.ts';
import { ChaincodeEvent } from './fabric-peer.ts';
import { message } from './protobuf.ts';
import type { MessageOf } from './protobuf.ts';
import { int32, nested, optionalInt32, repeatedNested, text, uint64 } from './protobuf-fields.ts';

export const FilteredChaincodeAction = message('protos.FilteredChaincodeAction', {
  /** Without its payload. */
  chaincodeEvent: nested(1, () => ChaincodeEvent),
});
export type FilteredChaincodeAction = MessageOf<typeof FilteredChaincodeAction>;

export const FilteredTransactionActions = message('protos.FilteredTransactionActions', {
  chaincodeActions: repeatedNested(1, () => FilteredChaincodeAction),
});
export type FilteredTransactionActions = MessageOf<typeof FilteredTransactionActions>;

export const FilteredTransaction = message('protos.FilteredTransaction', {
  txid: text(1),
  /** One of `headerTypes`. */
  type: int32(2),
  /** One of `validationCodes`. */
  txValidationCode: int32(3),
  transactionActions: nested(4, () => FilteredTransactionActions),
});
export type FilteredTransaction = MessageOf<typeof FilteredTransaction>;

export const FilteredBlock = message('protos.FilteredBlock', {
  channelId: text(1),
  number: uint64(2),
  filteredTransactions: repeatedNested(4, () => FilteredTransaction),
});
export type FilteredBlock = MessageOf<typeof FilteredBlock>;

/** Its map of private data is left out: the zone's ledger has none, and an empty map is no bytes. */
export const BlockAndPrivateData = message('protos.BlockAndPrivateData', {
  block: nested(1, () => Block),
});
export type BlockAndPrivateData = MessageOf<typeof BlockAndPrivateData>;

/** Unlike an orderer's answer of the same name, it has two more forms of a block. */
export const PeerDeliverResponse = message(
  'protos.DeliverResponse',
  {
    status: optionalInt32(1),
    block: nested(2, () => Block),
    filteredBlock: nested(3, () => FilteredBlock),
    blockAndPrivateData: nested(4, () => BlockAndPrivateData),
  },
  [['status', 'block', 'filteredBlock', 'blockAndPrivateData']],
);
export type PeerDeliverResponse = MessageOf<typeof PeerDeliverResponse>;
