import { equalBytes } from '#base';
import {
  Acls,
  AnchorPeers,
  BatchSize,
  BatchTimeout,
  BlockDataHashingStructure,
  Capabilities,
  ChannelRestrictions,
  ConsensusType,
  HashingAlgorithm,
  MspConfig,
  OrdererAddresses,
} from '#formats';
import type { ConfigGroup } from '#formats';
import { checkApplicationCapabilities, checkChannelCapabilities } from './capabilities.ts';
import { checkOrdererCapabilities } from './capabilities.ts';
import { readValues } from './config-values.ts';
import { goDurationMs } from './go-duration.ts';
import { fault } from './faults.ts';
import { Msp } from './msp.ts';

/** What the groups of a channel configuration say. */
export interface ChannelFacts {
  /** Membership providers by id. */
  readonly msps: ReadonlyMap<string, Msp>;
  /** MSP ids of the application's organisations, in the order of the configuration. */
  readonly applicationOrgs: readonly string[];
  /** "host:port" of every ordering organisation. */
  readonly ordererEndpoints: readonly string[];
  readonly batchSize: BatchSize;
  readonly batchTimeoutMs: number;
  /** What a later configuration may not change at will. */
  readonly lasting: LastingFacts;
}

export interface LastingFacts {
  /** orderer.ConsensusType of the channel. */
  readonly consensus: {
    readonly type: string;
    readonly metadata: Uint8Array;
    readonly state: number;
  };
  /** MSP ids of organisations by their groups' paths. */
  readonly mspIds: ReadonlyMap<string, string>;
}

/**
 * Reads the groups and values of a channel and refuses what stock peers, of 2.5 or of 3.x, refuse.
 *
 * @throws POLICY_CONFIG_INVALID, and formats' and crypto's of malformed parts.
 * @see Fabric common/channelconfig/channel.go, orderer.go, application.go.
 */
export function readChannelGroup(channel: ConfigGroup): ChannelFacts {
  const values = readValues(channel, '/Channel', {
    HashingAlgorithm,
    BlockDataHashingStructure,
    OrdererAddresses,
    Capabilities,
  });
  checkChannelCapabilities(values.Capabilities);
  // Fabric also knows SHA3_256 here; block hashes are SHA-256 whatever stands here.
  if (values.HashingAlgorithm.name !== 'SHA256') throw invalid('hashing algorithm');
  if (values.BlockDataHashingStructure.width !== 0xffffffff) throw invalid('hashing width');
  const { Application: application, Orderer: orderer, ...others } = groupsOf(channel);
  if (Object.keys(others).length > 0) throw invalid('unknown group of the channel');
  if (application === undefined || orderer === undefined) throw invalid('a group is missing');
  const msps = new MspRegister();
  const { consensus, ...ordering } = readOrderer(orderer, msps);
  const applicationOrgs = readApplication(application, msps);
  const lasting = { consensus, mspIds: msps.idsByPath };
  return { msps: msps.byId, applicationOrgs, ...ordering, lasting };
}

function readOrderer(group: ConfigGroup, msps: MspRegister) {
  const values = readValues(group, '/Channel/Orderer', {
    ConsensusType,
    BatchSize,
    BatchTimeout,
    ChannelRestrictions,
    Capabilities,
  });
  checkOrdererCapabilities(values.Capabilities);
  checkBatchSize(values.BatchSize);
  const batchTimeoutMs = goDurationMs(values.BatchTimeout.timeout);
  if (batchTimeoutMs === undefined || batchTimeoutMs <= 0) throw invalid('batch timeout');
  // A 3.x peer fetches blocks for these two only, and says so in its log alone.
  const { type } = values.ConsensusType;
  if (type !== 'etcdraft' && type !== 'BFT') throw invalid('consensus type');
  if (!group.policies.has('BlockValidation')) throw invalid('no policy BlockValidation');
  const ordererEndpoints: string[] = [];
  for (const [name, org] of group.groups) {
    const path = `/Channel/Orderer/${name}`;
    const { MSP, Endpoints } = readValues(org, path, {
      MSP: MspConfig,
      Endpoints: OrdererAddresses,
    });
    checkLeaf(org, path);
    msps.add(MSP, path);
    ordererEndpoints.push(...Endpoints.addresses);
  }
  const { ConsensusType: consensus, BatchSize: batchSize } = values;
  return { ordererEndpoints, batchSize, batchTimeoutMs, consensus };
}

function readApplication(group: ConfigGroup, msps: MspRegister): string[] {
  const values = readValues(group, '/Channel/Application', { ACLs: Acls, Capabilities });
  checkApplicationCapabilities(values.Capabilities);
  return [...group.groups].map(([name, org]) => {
    const path = `/Channel/Application/${name}`;
    const { MSP } = readValues(org, path, { MSP: MspConfig, AnchorPeers });
    checkLeaf(org, path);
    return msps.add(MSP, path).id;
  });
}

/** Providers by id: an organisation may stand in both groups, but only with one definition. */
class MspRegister {
  readonly byId = new Map<string, Msp>();
  readonly idsByPath = new Map<string, string>();
  readonly #definitions = new Map<string, Uint8Array>();

  add(config: MspConfig, path: string): Msp {
    const definition = MspConfig.encode(config);
    const msp = new Msp(config);
    this.idsByPath.set(path, msp.id);
    const before = this.#definitions.get(msp.id);
    if (before !== undefined && !equalBytes(before, definition)) {
      throw invalid('two definitions of one provider', path);
    }
    const known = this.byId.get(msp.id);
    if (known !== undefined) return known;
    this.#definitions.set(msp.id, definition);
    this.byId.set(msp.id, msp);
    return msp;
  }
}

function checkBatchSize(batch: BatchSize): void {
  const { maxMessageCount, absoluteMaxBytes, preferredMaxBytes } = batch;
  const positive = maxMessageCount > 0 && absoluteMaxBytes > 0 && preferredMaxBytes > 0;
  if (!positive || preferredMaxBytes > absoluteMaxBytes) throw invalid('batch size');
}

function checkLeaf(org: ConfigGroup, path: string): void {
  if (org.groups.size > 0) throw invalid('group below an organisation', path);
}

function groupsOf(group: ConfigGroup): Record<string, ConfigGroup | undefined> {
  return Object.fromEntries(group.groups);
}

function invalid(reason: string, path?: string): Error {
  return fault('POLICY_CONFIG_INVALID', { reason, path });
}
