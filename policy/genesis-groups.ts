import { limits, utf8 } from '#base';
import {
  BatchSize,
  BatchTimeout,
  BlockDataHashingStructure,
  Capabilities,
  ChannelRestrictions,
  ConsensusType,
  EtcdraftConfigMetadata,
  HashingAlgorithm,
  ImplicitMetaPolicy,
  MspConfig,
  OrdererAddresses,
  SignaturePolicyEnvelope,
  implicitMetaRules,
  policyTypes,
} from '#formats';
import type { ConfigGroup, ConfigPolicy, ConfigValue, Policy } from '#formats';
import type { GenesisOrganization, GenesisSpec } from './genesis.ts';
import { genesisMsp } from './genesis-msp.ts';
import { parsePolicyText } from './policy-text.ts';

/** Everything is changed by the administrators of the group it stands in. */
const modPolicy = 'Admins';
/** Fabric cuts batches by it; here a block is made when there is work, but peers read it. */
const batchTimeout = '200ms';
/** The sample configuration's; raft never runs on this channel. */
const raftOptions = {
  tickInterval: '500ms',
  electionTick: 10,
  heartbeatTick: 1,
  maxInflightBlocks: 5,
  snapshotIntervalSize: 16 * 1024 * 1024,
};

/** The root of a new channel's configuration. Everything is in the order of its name. */
export function channelGroupOf(spec: GenesisSpec): ConfigGroup {
  return group({
    groups: { Application: applicationGroup(spec), Orderer: ordererGroup(spec) },
    values: {
      BlockDataHashingStructure: BlockDataHashingStructure.encode({ width: 0xffffffff }),
      Capabilities: capabilities('V2_0'),
      HashingAlgorithm: HashingAlgorithm.encode({ name: 'SHA256' }),
    },
    policies: metaPolicies(),
  });
}

function ordererGroup(spec: GenesisSpec): ConfigGroup {
  const { zone, blockValidation = `OR('${spec.zone.mspid}.orderer')` } = spec;
  return group({
    groups: { [zone.name]: zoneGroup(spec) },
    values: {
      BatchSize: BatchSize.encode({
        maxMessageCount: limits.transactionsPerBlockMax,
        absoluteMaxBytes: limits.envelopeBytesMax,
        preferredMaxBytes: limits.bundleBytesMax,
      }),
      BatchTimeout: BatchTimeout.encode({ timeout: batchTimeout }),
      Capabilities: capabilities('V2_0'),
      ChannelRestrictions: ChannelRestrictions.encode({}),
      ConsensusType: ConsensusType.encode({ type: 'etcdraft', metadata: raftMetadata(spec) }),
    },
    policies: { ...metaPolicies(), BlockValidation: signaturePolicy(blockValidation) },
  });
}

function applicationGroup({ organizations }: GenesisSpec): ConfigGroup {
  const endorsement = implicitPolicy('Endorsement', implicitMetaRules.majority);
  return group({
    groups: Object.fromEntries(organizations.map((one) => [one.name, organizationGroup(one)])),
    values: { Capabilities: capabilities('V2_5') },
    policies: { ...metaPolicies(), Endorsement: endorsement, LifecycleEndorsement: endorsement },
  });
}

function zoneGroup({ zone }: GenesisSpec): ConfigGroup {
  const { mspid } = zone;
  return group({
    values: {
      Endpoints: OrdererAddresses.encode({ addresses: [...zone.endpoints] }),
      MSP: MspConfig.encode(genesisMsp(zone)),
    },
    policies: {
      Admins: signaturePolicy(`OR('${mspid}.admin')`),
      Readers: signaturePolicy(`OR('${mspid}.member')`),
      Writers: signaturePolicy(`OR('${mspid}.member')`),
    },
  });
}

function organizationGroup(organization: GenesisOrganization): ConfigGroup {
  const { mspid } = organization;
  const roles = (...names: string[]) =>
    signaturePolicy(`OR(${names.map((name) => `'${mspid}.${name}'`).join(', ')})`);
  return group({
    values: { MSP: MspConfig.encode(genesisMsp(organization)) },
    policies: {
      Admins: roles('admin'),
      // Only keys in a token carry the peer role; a stock peer's own key is a client's.
      Endorsement: roles('peer'),
      Readers: roles('admin', 'peer', 'client'),
      Writers: roles('admin', 'client'),
    },
  });
}

function group(parts: {
  groups?: Record<string, ConfigGroup>;
  values: Record<string, Uint8Array>;
  policies: Record<string, Policy>;
}): ConfigGroup {
  const values = sortedMap(parts.values, (value): ConfigValue => ({
    version: 0n,
    value,
    modPolicy,
  }));
  const policies = sortedMap(parts.policies, (policy): ConfigPolicy => ({
    version: 0n,
    policy,
    modPolicy,
  }));
  const groups = sortedMap(parts.groups ?? {}, (inner) => inner);
  return { version: 0n, groups, values, policies, modPolicy };
}

function sortedMap<From, To>(record: Record<string, From>, to: (value: From) => To) {
  const names = Object.keys(record).toSorted();
  return new Map(names.map((name) => [name, to(record[name] as From)]));
}

function metaPolicies(): Record<string, Policy> {
  return {
    Admins: implicitPolicy('Admins', implicitMetaRules.majority),
    Readers: implicitPolicy('Readers', implicitMetaRules.any),
    Writers: implicitPolicy('Writers', implicitMetaRules.any),
  };
}

function implicitPolicy(subPolicy: string, rule: number): Policy {
  return {
    type: policyTypes.implicitMeta,
    value: ImplicitMetaPolicy.encode({ subPolicy, rule }),
  };
}

function signaturePolicy(text: string): Policy {
  return {
    type: policyTypes.signature,
    value: SignaturePolicyEnvelope.encode(parsePolicyText(text)),
  };
}

function capabilities(...names: string[]): Uint8Array {
  return Capabilities.encode({ capabilities: new Map(names.map((name) => [name, {}])) });
}

function raftMetadata({ consenter }: GenesisSpec): Uint8Array {
  const certificate = utf8(consenter.tlsCertificate);
  const { host, port } = consenter;
  return EtcdraftConfigMetadata.encode({
    consenters: [{ host, port, clientTlsCert: certificate, serverTlsCert: certificate }],
    options: raftOptions,
  });
}
