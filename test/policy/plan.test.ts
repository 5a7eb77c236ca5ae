import t from 'tap';
import { limits } from '#base';
import { ApplicationPolicy } from '#formats';
import { ChannelConfig, buildGenesisBlock, parsePolicyText, planEndorsement } from '#policy';
import type { NodeIdentity } from '#policy';
import { testNetwork } from './test-channel.ts';

const { spec, orgs } = await testNetwork(7);
const config = ChannelConfig.fromBlock(buildGenesisBlock(spec));
const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
const nodes: NodeIdentity[] = orgs.map((org, index) => ({
  name: names[index] as string,
  identity: config.identity(org.peer.serialized(org.mspid)),
}));
const textPolicy = (text: string) =>
  ApplicationPolicy.encode({ signaturePolicy: parsePolicyText(text) });
const majority = ApplicationPolicy.encode({
  channelConfigPolicyReference: '/Channel/Application/Endorsement',
});
const peers = (...numbers: number[]) =>
  numbers.map((number) => `'Org${number}MSP.peer'`).join(', ');

t.test('002-18 the plan of "A, B, C and F" is these four', async (t) => {
  const plan = planEndorsement(config, textPolicy(`AND(${peers(1, 2, 3, 6)})`), nodes);
  t.strictSame(plan, [['a', 'b', 'c', 'f']]);
});

t.test('002-18 the plans of a majority of seven are the 35 sets of four', async (t) => {
  const plan = planEndorsement(config, majority, nodes);
  t.equal(plan.length, 35);
  t.ok(plan.every((set) => set.length === 4));
  t.equal(new Set(plan.map((set) => set.toSorted().join(''))).size, 35);
});

t.test('002-18 the plans of three of seven are the 35 sets of three', async (t) => {
  const plan = planEndorsement(
    config,
    textPolicy(`OutOf(3, ${peers(1, 2, 3, 4, 5, 6, 7)})`),
    nodes,
  );
  t.equal(plan.length, 35);
  t.ok(plan.every((set) => set.length === 3));
});

t.test('002-9 a node that does not match the policy is in no plan', async (t) => {
  const client = orgs[0]!.client;
  const clientNode = {
    name: 'client',
    identity: config.identity(client.serialized('Org1MSP')),
  };
  const plan = planEndorsement(config, textPolicy(`AND(${peers(1, 2)})`), [clientNode, ...nodes]);
  t.strictSame(plan, [['a', 'b']]);
});

t.test('the smallest set comes first and no set has a node to spare', async (t) => {
  const policy = textPolicy(`OR(AND(${peers(1, 2, 3)}), AND(${peers(4, 5)}), ${peers(6)})`);
  const plan = planEndorsement(config, policy, nodes);
  t.strictSame(plan, [['f'], ['d', 'e'], ['a', 'b', 'c']]);
  const absorbed = textPolicy(`OR(AND(${peers(1, 2)}), ${peers(1)})`);
  t.strictSame(planEndorsement(config, absorbed, nodes), [['a']]);
});

t.test('nodes that cannot satisfy the policy have no plan', async (t) => {
  t.strictSame(planEndorsement(config, majority, nodes.slice(0, 3)), []);
  t.strictSame(planEndorsement(config, majority, []), []);
  t.strictSame(planEndorsement(config, new Uint8Array([1]), nodes), []);
  const impossible = textPolicy(`OutOf(3, ${peers(1, 2)})`);
  t.strictSame(planEndorsement(config, impossible, nodes), []);
});

t.test('a policy that asks for nothing is satisfied by nobody at all', async (t) => {
  t.strictSame(planEndorsement(config, textPolicy(`OutOf(0, ${peers(1)})`), nodes), [[]]);
});

t.test('the order of a set is one in which the signers fit their principals', async (t) => {
  const [org] = orgs;
  const admin = {
    name: 'admin',
    identity: config.identity(org!.admin.serialized('Org1MSP')),
  };
  const policy = textPolicy("AND('Org1MSP.member', 'Org1MSP.admin')");
  t.strictSame(planEndorsement(config, policy, [admin, nodes[0]!]), [['a', 'admin']]);
});

t.test('two nodes of one organisation stand for two signatures', async (t) => {
  const second = await orgs[0]!.ca.issue('peer1', { units: ['peer'] });
  const node = { name: 'a2', identity: config.identity(second.serialized('Org1MSP')) };
  const policy = textPolicy(`OutOf(2, ${peers(1, 1)})`);
  t.strictSame(planEndorsement(config, policy, nodes), []);
  const [plan, ...others] = planEndorsement(config, policy, [...nodes, node]);
  t.strictSame(plan?.toSorted(), ['a', 'a2']);
  t.strictSame(others, []);
});

t.test('planning is bounded, and still plans, where many nodes are interchangeable', async (t) => {
  const many: NodeIdentity[] = [];
  for (const org of orgs.slice(0, 4)) {
    for (let number = 0; number < 12; number += 1) {
      const peer = await org.ca.issue(`peer${number}`, { units: ['peer'] });
      const identity = config.identity(peer.serialized(org.mspid));
      many.push({ name: `${org.name}-${number}`, identity });
    }
  }
  const plan = planEndorsement(config, majority, many);
  t.ok(plan.length > 0 && plan.length <= limits.planSetsMax);
  t.ok(plan.every((set) => set.length === 4));
  // Each principal fits each of 48 nodes, and no three of them are enough.
  const members = Array.from({ length: 4 }, () => `'Org1MSP.member'`).join(', ');
  const hard = textPolicy(`AND(${members}, 'Org7MSP.peer')`);
  t.strictSame(planEndorsement(config, hard, many), []);
  const detour = textPolicy(`OR(AND(${members}, 'Org7MSP.peer'), 'Org2MSP.peer')`);
  t.equal(planEndorsement(config, detour, many).length, 12);
});
