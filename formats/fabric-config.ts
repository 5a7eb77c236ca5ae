/** Messages of fabric-protos common/configtx.proto, common/configuration.proto, orderer/ and peer/configuration.proto. */
import { message } from './protobuf.ts';
import type { Message, MessageOf } from './protobuf.ts';
import {
  bytes,
  int32,
  mapOf,
  nested,
  repeatedNested,
  repeatedText,
  text,
  uint32,
  uint64,
} from './protobuf-fields.ts';
import { Envelope } from './fabric-common.ts';
import { Policy } from './fabric-policies.ts';

export const ConfigValue = message('common.ConfigValue', {
  version: uint64(1),
  value: bytes(2),
  modPolicy: text(3),
});
export type ConfigValue = MessageOf<typeof ConfigValue>;

export const ConfigPolicy = message('common.ConfigPolicy', {
  version: uint64(1),
  policy: nested(2, () => Policy),
  modPolicy: text(3),
});
export type ConfigPolicy = MessageOf<typeof ConfigPolicy>;

/** Recursive, so its shape is written out instead of inferred. */
export interface ConfigGroup {
  version: bigint;
  groups: Map<string, ConfigGroup>;
  values: Map<string, ConfigValue>;
  policies: Map<string, ConfigPolicy>;
  modPolicy: string;
}

const GroupEntry: Message<{ key: string; value: ConfigGroup | undefined }> = message(
  'common.ConfigGroup.GroupsEntry',
  { key: text(1), value: nested(2, (): Message<ConfigGroup> => ConfigGroup) },
);
const ValueEntry = message('common.ConfigGroup.ValuesEntry', {
  key: text(1),
  value: nested(2, () => ConfigValue),
});
const PolicyEntry = message('common.ConfigGroup.PoliciesEntry', {
  key: text(1),
  value: nested(2, () => ConfigPolicy),
});

export const ConfigGroup: Message<ConfigGroup> = message('common.ConfigGroup', {
  version: uint64(1),
  groups: mapOf(
    2,
    () => GroupEntry,
    (): ConfigGroup => ConfigGroup.initial(),
  ),
  values: mapOf(
    3,
    () => ValueEntry,
    () => ConfigValue.initial(),
  ),
  policies: mapOf(
    4,
    () => PolicyEntry,
    () => ConfigPolicy.initial(),
  ),
  modPolicy: text(5),
});

export const Config = message('common.Config', {
  sequence: uint64(1),
  channelGroup: nested(2, () => ConfigGroup),
});
export type Config = MessageOf<typeof Config>;

export const ConfigEnvelope = message('common.ConfigEnvelope', {
  config: nested(1, () => Config),
  lastUpdate: nested(2, () => Envelope),
});
export type ConfigEnvelope = MessageOf<typeof ConfigEnvelope>;

export const ConfigSignature = message('common.ConfigSignature', {
  signatureHeader: bytes(1),
  signature: bytes(2),
});
export type ConfigSignature = MessageOf<typeof ConfigSignature>;

export const ConfigUpdateEnvelope = message('common.ConfigUpdateEnvelope', {
  configUpdate: bytes(1),
  signatures: repeatedNested(2, () => ConfigSignature),
});
export type ConfigUpdateEnvelope = MessageOf<typeof ConfigUpdateEnvelope>;

export const ConfigUpdate = message('common.ConfigUpdate', {
  channelId: text(1),
  readSet: nested(2, () => ConfigGroup),
  writeSet: nested(3, () => ConfigGroup),
});
export type ConfigUpdate = MessageOf<typeof ConfigUpdate>;

export const HashingAlgorithm = message('common.HashingAlgorithm', { name: text(1) });
export const BlockDataHashingStructure = message('common.BlockDataHashingStructure', {
  width: uint32(1),
});
export const OrdererAddresses = message('common.OrdererAddresses', { addresses: repeatedText(1) });

export const Capability = message('common.Capability', {});
const CapabilityEntry = message('common.Capabilities.CapabilitiesEntry', {
  key: text(1),
  value: nested(2, () => Capability),
});
export const Capabilities = message('common.Capabilities', {
  capabilities: mapOf(
    1,
    () => CapabilityEntry,
    () => Capability.initial(),
  ),
});
export type Capabilities = MessageOf<typeof Capabilities>;

export const ConsensusType = message('orderer.ConsensusType', {
  type: text(1),
  metadata: bytes(2),
  state: int32(3),
});
export const BatchSize = message('orderer.BatchSize', {
  maxMessageCount: uint32(1),
  absoluteMaxBytes: uint32(2),
  preferredMaxBytes: uint32(3),
});
export type BatchSize = MessageOf<typeof BatchSize>;
export const BatchTimeout = message('orderer.BatchTimeout', { timeout: text(1) });
export const ChannelRestrictions = message('orderer.ChannelRestrictions', { maxCount: uint64(1) });

export const EtcdraftConsenter = message('etcdraft.Consenter', {
  host: text(1),
  port: uint32(2),
  clientTlsCert: bytes(3),
  serverTlsCert: bytes(4),
});
export const EtcdraftOptions = message('etcdraft.Options', {
  tickInterval: text(1),
  electionTick: uint32(2),
  heartbeatTick: uint32(3),
  maxInflightBlocks: uint32(4),
  snapshotIntervalSize: uint32(5),
});
export const EtcdraftConfigMetadata = message('etcdraft.ConfigMetadata', {
  consenters: repeatedNested(1, () => EtcdraftConsenter),
  options: nested(2, () => EtcdraftOptions),
});

export const AnchorPeer = message('protos.AnchorPeer', { host: text(1), port: int32(2) });
export const AnchorPeers = message('protos.AnchorPeers', {
  anchorPeers: repeatedNested(1, () => AnchorPeer),
});
export const ApiResource = message('protos.APIResource', { policyRef: text(1) });
const AclEntry = message('protos.ACLs.AclsEntry', {
  key: text(1),
  value: nested(2, () => ApiResource),
});
export const Acls = message('protos.ACLs', {
  acls: mapOf(
    1,
    () => AclEntry,
    () => ApiResource.initial(),
  ),
});
