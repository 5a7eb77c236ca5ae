import { common, msp, orderer } from '@hyperledger/fabric-protos';
import t from 'tap';
import { limits, toHex } from '#base';
import { sha256 } from '#crypto';
import { Block, dataHash, metadataIndexes } from '#formats';
import { ChannelConfig, buildGenesisBlock } from '#policy';
import { channelId, specOf, testNetwork, testOrg } from './test-channel.ts';

const { spec, zone, orgs } = await testNetwork();
const bytes = Block.encode(buildGenesisBlock(spec));
/** Everything below is read by Fabric's own messages, not by ours. */
const block = common.Block.deserializeBinary(bytes);
const envelope = common.Envelope.deserializeBinary(block.getData()!.getDataList_asU8()[0]!);
const payload = common.Payload.deserializeBinary(envelope.getPayload_asU8());
const config = common.ConfigEnvelope.deserializeBinary(payload.getData_asU8()).getConfig()!;
const channel = config.getChannelGroup()!;
const groupAt = (...path: string[]) =>
  path.reduce((group, name) => group.getGroupsMap().get(name)!, channel);
const valueAt = (name: string, ...path: string[]) =>
  groupAt(...path)
    .getValuesMap()
    .get(name)!
    .getValue_asU8();

t.test('P21 one specification makes one block, to the byte', async (t) => {
  t.strictSame(Block.encode(buildGenesisBlock(spec)), bytes);
  const other = { ...spec, nonce: new Uint8Array(24).fill(8) };
  t.notSame(Block.encode(buildGenesisBlock(other)), bytes);
});

t.test('the block is number 0 with the hash of its one unsigned envelope', async (t) => {
  const header = block.getHeader()!;
  t.equal(header.getNumber(), 0);
  t.equal(header.getPreviousHash_asU8().length, 0);
  const data = block.getData()!.getDataList_asU8();
  t.equal(data.length, 1);
  t.strictSame(new Uint8Array(header.getDataHash_asU8()), dataHash(data));
  t.equal(envelope.getSignature_asU8().length, 0);
});

t.test(
  'the metadata has five entries and a last config that is there though it is zero',
  async (t) => {
    const entries = block.getMetadata()!.getMetadataList_asU8();
    t.equal(entries.length, 5);
    const signatures = common.Metadata.deserializeBinary(entries[metadataIndexes.signatures]!);
    t.equal(signatures.getSignaturesList().length, 0);
    const value = common.OrdererBlockMetadata.deserializeBinary(signatures.getValue_asU8());
    t.ok(value.hasLastConfig());
    t.equal(value.getLastConfig()!.getIndex(), 0);
  },
);

t.test('the header says CONFIG, channel, time and the id that its nonce makes', async (t) => {
  const header = payload.getHeader()!;
  const channelHeader = common.ChannelHeader.deserializeBinary(header.getChannelHeader_asU8());
  t.equal(channelHeader.getType(), common.HeaderType.CONFIG);
  t.equal(channelHeader.getChannelId(), channelId);
  t.equal(channelHeader.getEpoch(), 0);
  t.equal(channelHeader.getTimestamp()!.getSeconds(), spec.time.getTime() / 1000);
  t.equal(channelHeader.getTxId(), toHex(sha256(spec.nonce)));
});

t.test('the channel has two groups, SHA256, full width and capability V2_0', async (t) => {
  t.strictSame(namesOf(channel.getGroupsMap()), ['Application', 'Orderer']);
  const hashing = common.HashingAlgorithm.deserializeBinary(valueAt('HashingAlgorithm'));
  t.equal(hashing.getName(), 'SHA256');
  const width = common.BlockDataHashingStructure.deserializeBinary(
    valueAt('BlockDataHashingStructure'),
  );
  t.equal(width.getWidth(), 4294967295);
  t.notOk(channel.getValuesMap().has('OrdererAddresses'));
  const capabilities = (...path: string[]) => [
    ...common.Capabilities.deserializeBinary(valueAt('Capabilities', ...path))
      .getCapabilitiesMap()
      .keys(),
  ];
  t.strictSame(capabilities(), ['V2_0']);
  t.strictSame(capabilities('Orderer'), ['V2_0']);
  t.strictSame(capabilities('Application'), ['V2_5']);
});

t.test('the orderer is etcdraft with one consenter, batch limits and the endpoints', async (t) => {
  const type = orderer.ConsensusType.deserializeBinary(valueAt('ConsensusType', 'Orderer'));
  t.equal(type.getType(), 'etcdraft');
  t.ok(Buffer.from(type.getMetadata_asU8()).includes(spec.consenter.tlsCertificate));
  const batch = orderer.BatchSize.deserializeBinary(valueAt('BatchSize', 'Orderer'));
  t.equal(batch.getMaxMessageCount(), limits.transactionsPerBlockMax);
  t.equal(batch.getAbsoluteMaxBytes(), limits.envelopeBytesMax);
  t.ok(batch.getPreferredMaxBytes() > 0);
  t.ok(batch.getPreferredMaxBytes() <= batch.getAbsoluteMaxBytes());
  const timeout = orderer.BatchTimeout.deserializeBinary(valueAt('BatchTimeout', 'Orderer'));
  t.equal(timeout.getTimeout(), '200ms');
  const endpoints = common.OrdererAddresses.deserializeBinary(
    valueAt('Endpoints', 'Orderer', 'Zone'),
  );
  t.strictSame(endpoints.getAddressesList(), spec.zone.endpoints);
});

t.test('every policy that stock peers look for is there', async (t) => {
  const policies = (...path: string[]) => namesOf(groupAt(...path).getPoliciesMap());
  t.strictSame(policies(), ['Admins', 'Readers', 'Writers']);
  t.strictSame(policies('Orderer'), ['Admins', 'BlockValidation', 'Readers', 'Writers']);
  const application = ['Admins', 'Endorsement', 'LifecycleEndorsement', 'Readers', 'Writers'];
  t.strictSame(policies('Application'), application);
  for (const { name } of orgs) {
    const own = ['Admins', 'Endorsement', 'Readers', 'Writers'];
    t.strictSame(policies('Application', name), own);
  }
  t.strictSame(policies('Orderer', 'Zone'), ['Admins', 'Readers', 'Writers']);
});

t.test('endorsement needs a majority of the organisations', async (t) => {
  for (const name of ['Endorsement', 'LifecycleEndorsement']) {
    const policy = groupAt('Application').getPoliciesMap().get(name)!.getPolicy()!;
    t.equal(policy.getType(), common.Policy.PolicyType.IMPLICIT_META);
    const meta = common.ImplicitMetaPolicy.deserializeBinary(policy.getValue_asU8());
    t.equal(meta.getRule(), common.ImplicitMetaPolicy.Rule.MAJORITY);
    t.equal(meta.getSubPolicy(), 'Endorsement');
  }
});

t.test(
  'blocks are signed by an orderer of the zone unless the specification says more',
  async (t) => {
    const policyOf = (group: common.ConfigGroup) =>
      common.SignaturePolicyEnvelope.deserializeBinary(
        group.getPoliciesMap().get('BlockValidation')!.getPolicy()!.getValue_asU8(),
      );
    const [principal] = policyOf(groupAt('Orderer')).getIdentitiesList();
    const role = msp.MSPRole.deserializeBinary(principal!.getPrincipal_asU8());
    t.equal(role.getMspIdentifier(), zone.mspid);
    t.equal(role.getRole(), msp.MSPRole.MSPRoleType.ORDERER);
  },
);

t.test('every element can be changed by its administrators', async (t) => {
  let elements = 0;
  const visit = (group: common.ConfigGroup): void => {
    t.equal(group.getModPolicy(), 'Admins');
    for (const value of [
      ...valuesOf<common.ConfigValue>(group.getValuesMap()),
      ...valuesOf<common.ConfigPolicy>(group.getPoliciesMap()),
    ]) {
      elements += 1;
      t.equal(value.getModPolicy(), 'Admins');
    }
    for (const inner of valuesOf<common.ConfigGroup>(group.getGroupsMap())) visit(inner);
  };
  visit(channel);
  t.ok(elements > 30);
});

interface ProtobufMap<Value> {
  forEach(visit: (value: Value, key: string) => void): void;
}

function namesOf(map: ProtobufMap<unknown>): string[] {
  const names: string[] = [];
  map.forEach((_value, name) => names.push(name));
  return names.toSorted();
}

function valuesOf<Value>(map: ProtobufMap<Value>): Value[] {
  const values: Value[] = [];
  map.forEach((value) => values.push(value));
  return values;
}

t.test(
  'an organisation is its authorities, with node units and no listed administrator',
  async (t) => {
    const wrapped = msp.MSPConfig.deserializeBinary(valueAt('MSP', 'Application', 'Org1'));
    t.equal(wrapped.getType(), 0);
    const fields = msp.FabricMSPConfig.deserializeBinary(wrapped.getConfig_asU8());
    t.equal(fields.getName(), 'Org1MSP');
    t.equal(Buffer.from(fields.getRootCertsList_asU8()[0]!).toString(), orgs[0]!.ca.pem);
    t.equal(fields.getTlsRootCertsList().length, 1);
    t.equal(fields.getAdminsList().length, 0);
    const units = fields.getFabricNodeOus()!;
    t.ok(units.getEnable());
    t.equal(units.getPeerOuIdentifier()!.getOrganizationalUnitIdentifier(), 'peer');
    t.equal(units.getOrdererOuIdentifier()!.getOrganizationalUnitIdentifier(), 'orderer');
  },
);

t.test('our own reader takes the block back', async (t) => {
  const read = ChannelConfig.fromBlock(Block.decode(bytes));
  t.equal(read.channelId, channelId);
  t.equal(read.sequence, 0n);
  t.strictSame(read.applicationOrgs, ['Org1MSP', 'Org2MSP', 'Org3MSP']);
  t.strictSame(read.ordererEndpoints, ['127.0.0.1:7050']);
  t.equal(read.batchTimeoutMs, 200);
});

t.test('a specification that stock peers would refuse makes no block', async (t) => {
  const code = 'POLICY_CONFIG_INVALID';
  const bad = await testOrg('Bad');
  t.throws(() => buildGenesisBlock({ ...spec, channelId: 'Trade' }), { code });
  t.throws(() => buildGenesisBlock({ ...spec, channelId: '' }), { code });
  t.throws(() => buildGenesisBlock(specOf(zone, [{ ...bad, name: 'no/slash' }])), { code });
  t.throws(() => buildGenesisBlock(specOf(zone, [{ ...bad, mspid: '' }])), {
    code: /^POLICY_(CONFIG|TEXT)_INVALID$/,
  });
  const leafAsRoot = { ...spec.zone, rootCertificates: [zone.peer.pem] };
  t.throws(() => buildGenesisBlock({ ...spec, zone: leafAsRoot }), { code });
  t.throws(() => buildGenesisBlock({ ...spec, blockValidation: 'nobody' }), {
    code: 'POLICY_TEXT_INVALID',
  });
});
