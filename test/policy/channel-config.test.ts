import t from 'tap';
import { emptyBytes, utf8 } from '#base';
import {
  BatchSize,
  BatchTimeout,
  BlockDataHashingStructure,
  Capabilities,
  ConsensusType,
  HashingAlgorithm,
  ImplicitMetaPolicy,
  MspConfig,
  SignaturePolicyEnvelope,
  policyTypes,
} from '#formats';
import type { Block, ConfigGroup, FabricMspConfig } from '#formats';
import { ChannelConfig, buildGenesisBlock, parsePolicyText } from '#policy';
import {
  channelId,
  configOf,
  editMsp,
  editedConfig,
  groupAt,
  signaturePolicy,
  testNetwork,
} from './test-channel.ts';

const { spec, orgs } = await testNetwork(2);
const [org1] = orgs;
const code = 'POLICY_CONFIG_INVALID';

const setValue = (group: ConfigGroup, key: string, value: Uint8Array) =>
  group.values.set(key, { version: 0n, value, modPolicy: 'Admins' });
const capabilities = (...names: string[]) =>
  Capabilities.encode({ capabilities: new Map(names.map((name) => [name, {}])) });
const batch = (maxMessageCount: number, absoluteMaxBytes: number, preferredMaxBytes: number) =>
  BatchSize.encode({ maxMessageCount, absoluteMaxBytes, preferredMaxBytes });
const setPolicy = (group: ConfigGroup, name: string, type: number, value: Uint8Array) =>
  group.policies.set(name, { version: 0n, policy: { type, value }, modPolicy: 'Admins' });
const emptyGroup = (): ConfigGroup => ({
  version: 0n,
  groups: new Map(),
  values: new Map(),
  policies: new Map(),
  modPolicy: 'Admins',
});
const outOfRange = { ...parsePolicyText("OR('A.peer')"), identities: [] };

t.test('the configuration of a genesis block is taken as it is', async (t) => {
  t.equal(configOf(spec, () => undefined).channelId, channelId);
});

const channelEdits: Record<string, (channel: ConfigGroup) => void> = {
  'no Orderer group': (channel) => channel.groups.delete('Orderer'),
  'no Application group': (channel) => channel.groups.delete('Application'),
  'another group': (channel) => channel.groups.set('Extra', emptyGroup()),
  'another value': (channel) => setValue(channel, 'Extra', emptyBytes),
  'another hash': (channel) =>
    setValue(channel, 'HashingAlgorithm', HashingAlgorithm.encode({ name: 'MD5' })),
  'another width': (channel) =>
    setValue(channel, 'BlockDataHashingStructure', BlockDataHashingStructure.encode({ width: 1 })),
  'a value that is no message': (channel) =>
    setValue(channel, 'HashingAlgorithm', utf8('\u0007garbage')),
  'a channel capability that 2.5 lacks': (channel) =>
    setValue(channel, 'Capabilities', capabilities('V2_0', 'V3_0')),
  'no channel capability': (channel) => channel.values.delete('Capabilities'),
  'no orderer capability': (channel) => groupAt(channel, 'Orderer').values.delete('Capabilities'),
  'an old application capability': (channel) =>
    setValue(groupAt(channel, 'Application'), 'Capabilities', capabilities('V1_3')),
  'an unknown application capability': (channel) =>
    setValue(groupAt(channel, 'Application'), 'Capabilities', capabilities('V2_5', 'V9')),
  'a consensus type that 3.x does not serve': (channel) =>
    setValue(
      groupAt(channel, 'Orderer'),
      'ConsensusType',
      ConsensusType.encode({ type: 'countersign' }),
    ),
  'no batch timeout': (channel) => groupAt(channel, 'Orderer').values.delete('BatchTimeout'),
  'a batch timeout of nothing': (channel) =>
    setValue(groupAt(channel, 'Orderer'), 'BatchTimeout', BatchTimeout.encode({ timeout: '0s' })),
  'a batch timeout without unit': (channel) =>
    setValue(groupAt(channel, 'Orderer'), 'BatchTimeout', BatchTimeout.encode({ timeout: '20' })),
  'a batch of no messages': (channel) =>
    setValue(groupAt(channel, 'Orderer'), 'BatchSize', batch(0, 2, 1)),
  'a preferred batch above the absolute': (channel) =>
    setValue(groupAt(channel, 'Orderer'), 'BatchSize', batch(1, 1, 2)),
  'no BlockValidation policy': (channel) =>
    groupAt(channel, 'Orderer').policies.delete('BlockValidation'),
  'a group below an organisation': (channel) =>
    groupAt(channel, 'Application/Org1').groups.set('Team', emptyGroup()),
  'an organisation without provider': (channel) =>
    groupAt(channel, 'Application/Org1').values.delete('MSP'),
  'a provider of another type': (channel) =>
    setValue(groupAt(channel, 'Application/Org1'), 'MSP', MspConfig.encode({ type: 1 })),
  'a name with a slash': (channel) => {
    setPolicy(channel, 'a/b', policyTypes.signature, SignaturePolicyEnvelope.encode(outOfRange));
  },
  'a name of dots': (channel) => groupAt(channel, 'Application').groups.set('..', emptyGroup()),
  'a policy without content': (channel) =>
    channel.policies.set('X', { version: 0n, policy: undefined, modPolicy: 'Admins' }),
  'a policy of another type': (channel) => setPolicy(channel, 'X', policyTypes.msp, emptyBytes),
  'a signature policy without rule': (channel) =>
    setPolicy(channel, 'X', policyTypes.signature, emptyBytes),
  'a signature policy of another version': (channel) =>
    setPolicy(
      channel,
      'X',
      policyTypes.signature,
      SignaturePolicyEnvelope.encode({ ...parsePolicyText("OR('A.peer')"), version: 1 }),
    ),
  'a principal out of range': (channel) =>
    setPolicy(channel, 'X', policyTypes.signature, SignaturePolicyEnvelope.encode(outOfRange)),
  'an implicit policy of an unknown rule': (channel) =>
    setPolicy(
      channel,
      'X',
      policyTypes.implicitMeta,
      ImplicitMetaPolicy.encode({ subPolicy: 'Readers', rule: 3 }),
    ),
  'one provider defined in two ways': (channel) => {
    const zone = groupAt(channel, 'Orderer/Zone');
    setValue(zone, 'MSP', groupAt(channel, 'Application/Org1').values.get('MSP')!.value);
    editMsp(zone, (fields) => {
      fields.fabricNodeOus!.ordererOuIdentifier = undefined;
    });
  },
};

for (const [defect, edit] of Object.entries(channelEdits)) {
  t.test(`a configuration with ${defect} is refused`, async (t) => {
    t.throws(() => configOf(spec, edit), { code });
  });
}

const mspEdits: Record<string, (fields: FabricMspConfig) => unknown> = {
  'no root': (fields) => (fields.rootCerts = []),
  'no name': (fields) => (fields.name = ''),
  'a root that is no certificate': (fields) => (fields.rootCerts = [utf8('x')]),
  'a root that is no authority': (fields) => (fields.rootCerts = [utf8(org1!.peer.pem)]),
  'an intermediate of another root': (fields) =>
    (fields.intermediateCerts = [utf8(orgs[1]!.ca.pem)]),
  'a TLS root that is no authority': (fields) => (fields.tlsRootCerts = [utf8(org1!.peer.pem)]),
  'nobody who could be an administrator': (fields) =>
    (fields.fabricNodeOus!.adminOuIdentifier = undefined),
  'an administrator of another authority': (fields) => (fields.admins = [utf8(orgs[1]!.admin.pem)]),
  'an administrator with the unit of a peer': (fields) => (fields.admins = [utf8(org1!.peer.pem)]),
  'a revocation list that is none': (fields) => (fields.revocationList = [utf8('x')]),
  'a signing identity': (fields) => (fields.signingIdentity = utf8('x')),
  'a unit of an unknown authority': (fields) =>
    (fields.organizationalUnitIdentifiers = [
      { certificate: utf8(orgs[1]!.ca.pem), organizationalUnitIdentifier: 'x' },
    ]),
  'another signature hash': (fields) => (fields.cryptoConfig!.signatureHashFamily = 'SHA3'),
  'another identity hash': (fields) =>
    (fields.cryptoConfig!.identityIdentifierHashFunction = 'SHA384'),
};

for (const [defect, edit] of Object.entries(mspEdits)) {
  t.test(`a provider with ${defect} is refused`, async (t) => {
    const editing = (channel: ConfigGroup) => editMsp(groupAt(channel, 'Application/Org1'), edit);
    t.throws(() => configOf(spec, editing), { code });
  });
}

t.test('an organisation may make blocks and transactions, with one definition', async (t) => {
  const both = configOf(spec, (channel) => {
    const { value } = groupAt(channel, 'Orderer/Zone').values.get('MSP')!;
    setValue(groupAt(channel, 'Application/Org1'), 'MSP', value);
  });
  t.strictSame(both.applicationOrgs, ['ZoneMSP', 'Org2MSP']);
});

t.test('only a block of one configuration transaction has a configuration', async (t) => {
  const genesis = buildGenesisBlock(spec);
  const [envelope] = genesis.data!.data;
  const withData = (...data: Uint8Array[]): Block => ({ ...genesis, data: { data } });
  t.ok(ChannelConfig.fromBlock(withData(envelope!)));
  for (const block of [
    withData(),
    withData(emptyBytes),
    withData(utf8('\u0007garbage')),
    withData(envelope!, envelope!),
    { ...genesis, data: undefined },
  ]) {
    t.throws(() => ChannelConfig.fromBlock(block), { code });
  }
});

t.test('channel ids are those of Fabric', async (t) => {
  const config = editedConfig(spec, () => undefined);
  for (const id of ['a', 'a-b.c9', 'x'.repeat(249)]) {
    t.equal(ChannelConfig.fromConfig(id, config).channelId, id);
  }
  for (const id of ['', 'A', '9a', '.a', 'a_b', 'a b', 'x'.repeat(250)]) {
    t.throws(() => ChannelConfig.fromConfig(id, config), { code }, id);
  }
});

t.test('a policy of a new name is found', async (t) => {
  const config = configOf(spec, (channel) => {
    const policy = signaturePolicy("OutOf(0, 'A.peer')");
    groupAt(channel, 'Application').policies.set('Open', {
      version: 0n,
      policy,
      modPolicy: 'Admins',
    });
  });
  t.ok(config.evaluate('/Channel/Application/Open', []));
  t.notOk(config.evaluate('/Channel/Application/Closed', []));
});
