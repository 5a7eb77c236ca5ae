/** Answers of the system contracts: fabric-protos common/ledger.proto and peer/query.proto. */
import { message } from './protobuf.ts';
import type { MessageOf } from './protobuf.ts';
import { bytes, repeatedNested, text, uint64 } from './protobuf-fields.ts';

export const BlockchainInfo = message('common.BlockchainInfo', {
  height: uint64(1),
  currentBlockHash: bytes(2),
  previousBlockHash: bytes(3),
});
export type BlockchainInfo = MessageOf<typeof BlockchainInfo>;

export const ChannelInfo = message('protos.ChannelInfo', { channelId: text(1) });
export const ChannelQueryResponse = message('protos.ChannelQueryResponse', {
  channels: repeatedNested(1, () => ChannelInfo),
});
export type ChannelQueryResponse = MessageOf<typeof ChannelQueryResponse>;
