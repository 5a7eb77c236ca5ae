import {
  Config,
  ConfigEnvelope,
  Envelope,
  FabricMspConfig,
  MspConfig,
  Payload,
  SignaturePolicyEnvelope,
  policyTypes,
} from '#formats';
import type { ConfigGroup, Policy } from '#formats';
import { ChannelConfig, buildGenesisBlock, parsePolicyText } from '#policy';
import type { GenesisSpec, SignedData } from '#policy';
import { TestCa, epoch } from './test-ca.ts';
import type { TestIdentity } from './test-ca.ts';

export const channelId = 'trade';

/** An organisation with one of each kind of identity. */
export interface TestOrg {
  readonly name: string;
  readonly mspid: string;
  readonly ca: TestCa;
  readonly peer: TestIdentity;
  readonly admin: TestIdentity;
  readonly client: TestIdentity;
  readonly orderer: TestIdentity;
}

export async function testOrg(name: string): Promise<TestOrg> {
  const ca = await TestCa.root(`ca.${name}`);
  const role = (unit: string) => ca.issue(`${unit}.${name}`, { units: [unit] });
  const [peer, admin, client, orderer] = await Promise.all(
    ['peer', 'admin', 'client', 'orderer'].map(role) as [
      Promise<TestIdentity>,
      Promise<TestIdentity>,
      Promise<TestIdentity>,
      Promise<TestIdentity>,
    ],
  );
  return { name, mspid: `${name}MSP`, ca, peer, admin, client, orderer };
}

export interface TestNetwork {
  readonly zone: TestOrg;
  readonly orgs: readonly TestOrg[];
  readonly spec: GenesisSpec;
}

/** A zone and some organisations, Org1, Org2 and so on. */
export async function testNetwork(orgCount = 3): Promise<TestNetwork> {
  const zone = await testOrg('Zone');
  const orgs: TestOrg[] = [];
  for (let number = 1; number <= orgCount; number += 1) orgs.push(await testOrg(`Org${number}`));
  return { zone, orgs, spec: specOf(zone, orgs) };
}

export function specOf(zone: TestOrg, orgs: readonly TestOrg[]): GenesisSpec {
  const organization = ({ name, mspid, ca }: TestOrg) => ({
    name,
    mspid,
    rootCertificates: [ca.pem],
    tlsRootCertificates: [ca.pem],
  });
  return {
    channelId,
    time: epoch,
    nonce: new Uint8Array(24).fill(7),
    zone: { ...organization(zone), endpoints: ['127.0.0.1:7050'] },
    consenter: { host: '127.0.0.1', port: 7050, tlsCertificate: zone.orderer.pem },
    organizations: orgs.map(organization),
  };
}

/** The genesis configuration after an edit of its groups. */
export function configOf(spec: GenesisSpec, edit: (channel: ConfigGroup) => void): ChannelConfig {
  return ChannelConfig.fromConfig(spec.channelId, editedConfig(spec, edit));
}

export function editedConfig(spec: GenesisSpec, edit: (channel: ConfigGroup) => void): Config {
  const [envelope] = buildGenesisBlock(spec).data?.data ?? [];
  const { config } = ConfigEnvelope.decode(
    Payload.decode(Envelope.decode(envelope as Uint8Array).payload).data,
  );
  const copy = Config.decode(Config.encode(config as Config));
  edit(copy.channelGroup as ConfigGroup);
  return copy;
}

/** The group of a path below the channel, for example `Application/Org1`. */
export function groupAt(channel: ConfigGroup, path: string): ConfigGroup {
  let group = channel;
  for (const name of path.split('/')) {
    const inner = group.groups.get(name);
    if (inner === undefined) throw new Error(`no group ${name} in ${path}`);
    group = inner;
  }
  return group;
}

/** Rewrites the membership provider of an organisation's group. */
export function editMsp(group: ConfigGroup, edit: (config: FabricMspConfig) => unknown): void {
  const value = group.values.get('MSP');
  if (value === undefined) throw new Error('no MSP');
  const { type, config } = MspConfig.decode(value.value);
  const fields = FabricMspConfig.decode(config);
  edit(fields);
  value.value = MspConfig.encode({ type, config: FabricMspConfig.encode(fields) });
}

export function signaturePolicy(text: string | SignaturePolicyEnvelope): Policy {
  const envelope = typeof text === 'string' ? parsePolicyText(text) : text;
  return { type: policyTypes.signature, value: SignaturePolicyEnvelope.encode(envelope) };
}

/** A signature by an identity of an organisation. */
export function signed(mspid: string, identity: TestIdentity, data: Uint8Array): SignedData {
  return { identity: identity.serialized(mspid), data, signature: identity.sign(data) };
}
