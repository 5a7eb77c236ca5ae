/** Messages of fabric-protos common/common.proto and google/protobuf/timestamp.proto. */
import { message } from './protobuf.ts';
import type { MessageOf } from './protobuf.ts';
import {
  bytes,
  int32,
  int64,
  nested,
  repeatedBytes,
  repeatedNested,
  text,
  uint64,
} from './protobuf-fields.ts';

export const Timestamp = message('google.protobuf.Timestamp', {
  seconds: int64(1),
  nanos: int32(2),
});
export type Timestamp = MessageOf<typeof Timestamp>;

export const headerTypes = {
  message: 0,
  config: 1,
  configUpdate: 2,
  endorserTransaction: 3,
  deliverSeekInfo: 5,
} as const;

export const Envelope = message('common.Envelope', { payload: bytes(1), signature: bytes(2) });
export type Envelope = MessageOf<typeof Envelope>;

export const ChannelHeader = message('common.ChannelHeader', {
  type: int32(1),
  version: int32(2),
  timestamp: nested(3, () => Timestamp),
  channelId: text(4),
  txId: text(5),
  epoch: uint64(6),
  extension: bytes(7),
  tlsCertHash: bytes(8),
});
export type ChannelHeader = MessageOf<typeof ChannelHeader>;

export const SignatureHeader = message('common.SignatureHeader', {
  creator: bytes(1),
  nonce: bytes(2),
});
export type SignatureHeader = MessageOf<typeof SignatureHeader>;

export const Header = message('common.Header', {
  channelHeader: bytes(1),
  signatureHeader: bytes(2),
});
export type Header = MessageOf<typeof Header>;

export const Payload = message('common.Payload', {
  header: nested(1, () => Header),
  data: bytes(2),
});
export type Payload = MessageOf<typeof Payload>;

export const BlockHeader = message('common.BlockHeader', {
  number: uint64(1),
  previousHash: bytes(2),
  dataHash: bytes(3),
});
export type BlockHeader = MessageOf<typeof BlockHeader>;

export const BlockData = message('common.BlockData', { data: repeatedBytes(1) });
export type BlockData = MessageOf<typeof BlockData>;

/** Indexes into BlockMetadata.metadata. */
export const metadataIndexes = {
  signatures: 0,
  lastConfig: 1,
  transactionsFilter: 2,
  orderer: 3,
  commitHash: 4,
} as const;

export const BlockMetadata = message('common.BlockMetadata', { metadata: repeatedBytes(1) });
export type BlockMetadata = MessageOf<typeof BlockMetadata>;

export const Block = message('common.Block', {
  header: nested(1, () => BlockHeader),
  data: nested(2, () => BlockData),
  metadata: nested(3, () => BlockMetadata),
});
export type Block = MessageOf<typeof Block>;

export const MetadataSignature = message('common.MetadataSignature', {
  signatureHeader: bytes(1),
  signature: bytes(2),
  identifierHeader: bytes(3),
});
export type MetadataSignature = MessageOf<typeof MetadataSignature>;

export const Metadata = message('common.Metadata', {
  value: bytes(1),
  signatures: repeatedNested(2, () => MetadataSignature),
});
export type Metadata = MessageOf<typeof Metadata>;

export const LastConfig = message('common.LastConfig', { index: uint64(1) });
export type LastConfig = MessageOf<typeof LastConfig>;

export const OrdererBlockMetadata = message('common.OrdererBlockMetadata', {
  lastConfig: nested(1, () => LastConfig),
  consenterMetadata: bytes(2),
});
export type OrdererBlockMetadata = MessageOf<typeof OrdererBlockMetadata>;
