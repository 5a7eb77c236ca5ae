import { ConfigEnvelope, ConfigUpdate, Envelope, Payload } from '#formats';
import type { Config, ConfigGroup } from '#formats';
import { ChannelConfig, buildGenesisBlock } from '#policy';
import {
  editedGroup,
  signedEnvelope,
  signedUpdate,
  updateBetween,
} from '../support/config-update.ts';
import type { EnvelopeParts, UpdateSigner } from '../support/config-update.ts';
import type { TestIdentity } from './test-ca.ts';
import { channelId, groupAt, specOf, testNetwork, testOrg } from './test-channel.ts';
import type { TestOrg } from './test-channel.ts';

export const { spec, orgs, zone } = await testNetwork(3);
/** An organisation that is not on the channel yet. */
export const org4 = await testOrg('Org4');
export const [org1, org2, org3] = orgs as [TestOrg, TestOrg, TestOrg];

export const crlOfOrderer = await zone.ca.crl(zone.orderer);

export function signerOf({ mspid }: TestOrg, identity: TestIdentity): UpdateSigner {
  return {
    serialized: identity.serialized(mspid),
    sign: (data) => identity.sign(data),
  };
}

export const adminOf = (org: TestOrg): UpdateSigner => signerOf(org, org.admin);
export const everyAdmin = [zone, org1, org2, org3].map(adminOf);

/** The channel after its genesis block and an edit that nobody had to sign. */
export function configAfter(edit: (channel: ConfigGroup) => void = () => undefined): ChannelConfig {
  const [envelope] = buildGenesisBlock(spec).data!.data;
  const { config } = ConfigEnvelope.decode(Payload.decode(Envelope.decode(envelope!).payload).data);
  const channelGroup = editedGroup(config!, edit);
  return ChannelConfig.fromConfig(channelId, { sequence: 0n, channelGroup });
}

/** The group that an organisation has in a new channel's configuration. */
export function groupOfNewcomer(org: TestOrg): ConfigGroup {
  const [envelope] = buildGenesisBlock(specOf(zone, [...orgs, org])).data!.data;
  const { config } = ConfigEnvelope.decode(Payload.decode(Envelope.decode(envelope!).payload).data);
  const group = groupAt(config!.channelGroup!, `Application/${org.name}`);
  return group;
}

/** How an update is made; everything has a default that makes it a good one. */
export interface UpdateParts {
  /** What it makes of the configuration. */
  edit?: (channel: ConfigGroup) => void;
  /** Changes the update itself, in place. */
  update?: (update: ConfigUpdate) => void;
  /** Replaces the update's bytes before they are signed. */
  updateBytes?: (bytes: Uint8Array) => Uint8Array;
  signers?: readonly UpdateSigner[];
  /** Replaces the signed update: common.ConfigUpdateEnvelope bytes. */
  data?: (bytes: Uint8Array) => Uint8Array;
  outside?: Partial<EnvelopeParts>;
  envelope?: (bytes: Uint8Array) => Uint8Array;
}

/** common.Envelope of type CONFIG_UPDATE. */
export function updateEnvelope(config: Config, parts: UpdateParts): Uint8Array {
  const { edit = () => undefined, update: change, signers = everyAdmin, outside } = parts;
  const update = updateBetween(channelId, config, editedGroup(config, edit));
  change?.(update);
  const updateBytes = ConfigUpdate.encode(update);
  const data = signedUpdate(parts.updateBytes?.(updateBytes) ?? updateBytes, signers);
  const envelope = signedEnvelope(parts.data?.(data) ?? data, {
    channelId,
    sender: adminOf(org1),
    ...outside,
  });
  return parts.envelope?.(envelope) ?? envelope;
}
