import t from 'tap';
import { emptyBytes, utf8 } from '#base';
import { ApplicationPolicy } from '#formats';
import { parsePolicyText } from '#policy';
import type { SignedData } from '#policy';
import { signed } from './test-channel.ts';
import type { TestOrg } from './test-channel.ts';
import { config, data, orgs, peersOf, satisfied, zone } from './test-policies.ts';

const [a, b, c, d, e, f, g] = orgs as [
  TestOrg,
  TestOrg,
  TestOrg,
  TestOrg,
  TestOrg,
  TestOrg,
  TestOrg,
];

t.test('002-18 "A, B, C and F must endorse" takes these four and nothing less', async (t) => {
  const policy = `AND(${[a, b, c, f].map((org) => `'${org.mspid}.peer'`).join()})`;
  t.ok(satisfied(policy, peersOf(a, b, c, f)));
  t.ok(satisfied(policy, peersOf(g, f, e, c, b, a)));
  t.notOk(satisfied(policy, peersOf(a, b, c)));
  t.notOk(satisfied(policy, peersOf(a, b, c, d, e, g)));
});

t.test('002-18 "a majority of the channel must endorse" takes four of seven', async (t) => {
  const policy = ApplicationPolicy.encode({
    channelConfigPolicyReference: '/Channel/Application/Endorsement',
  });
  const evaluate = (signatures: SignedData[]) =>
    config.evaluateApplicationPolicy(policy, signatures);
  t.ok(evaluate(peersOf(a, c, e, g)));
  t.notOk(evaluate(peersOf(a, c, e)));
  t.notOk(evaluate([...peersOf(a, c, e), signed(zone.mspid, zone.peer, data)]));
});

t.test('002-18 "at least 3 of A to G must endorse" takes any three', async (t) => {
  const policy = `OutOf(3, ${orgs.map((org) => `'${org.mspid}.peer'`).join()})`;
  t.ok(satisfied(policy, peersOf(b, d, g)));
  t.ok(satisfied(policy, peersOf(a, b, c, d, e, f, g)));
  t.notOk(satisfied(policy, peersOf(b, d)));
});

t.test('one signer repeated counts once', async (t) => {
  const policy = `OutOf(2, '${a.mspid}.peer', '${a.mspid}.peer')`;
  t.notOk(satisfied(policy, peersOf(a, a)));
  const other = await a.ca.issue('peer1', { units: ['peer'] });
  t.ok(satisfied(policy, [...peersOf(a), signed(a.mspid, other, data)]));
  // The same certificate in another PEM is the same signer.
  const noise = { ...peersOf(a)[0]!, identity: a.peer.serialized(a.mspid, `x\n${a.peer.pem}`) };
  t.notOk(satisfied(policy, [...peersOf(a), noise]));
});

t.test('one signer satisfies one principal, the first it fits', async (t) => {
  t.notOk(satisfied(`AND('${a.mspid}.peer', '${a.mspid}.member')`, peersOf(a)));
  const admin = signed(a.mspid, a.admin, data);
  const memberThenAdmin = `AND('${a.mspid}.member', '${a.mspid}.admin')`;
  t.ok(satisfied(memberThenAdmin, [...peersOf(a), admin]));
  // The admin is taken as a member, and nobody is left to be the admin: Fabric's own answer.
  t.notOk(satisfied(memberThenAdmin, [admin, ...peersOf(a)]));
});

t.test('a gate that fails gives its signers back', async (t) => {
  const [x, y] = [`'${a.mspid}.peer'`, `'${b.mspid}.peer'`];
  t.ok(satisfied(`OR(AND(${x}, ${y}), ${x})`, peersOf(a)));
});

t.test('a gate that is met goes on taking signers', async (t) => {
  const [x, y] = [`'${a.mspid}.peer'`, `'${b.mspid}.peer'`];
  t.notOk(satisfied(`AND(OR(${x}, ${y}), ${y})`, peersOf(a, b)));
});

t.test('a bad signature beside enough good ones does no harm, and does not count', async (t) => {
  const policy = `AND('${a.mspid}.peer', '${b.mspid}.peer')`;
  const bad = { ...peersOf(b)[0]!, signature: a.peer.sign(data) };
  t.notOk(satisfied(policy, [...peersOf(a), bad]));
  t.ok(satisfied(policy, [bad, ...peersOf(a, b)]));
  const unreadable = { identity: utf8('\xff'), data, signature: emptyBytes };
  t.ok(satisfied(policy, [unreadable, ...peersOf(a, b)]));
});

t.test('a contract policy that cannot be read or found rejects everyone', async (t) => {
  const all = peersOf(...orgs);
  for (const bytes of [
    emptyBytes,
    utf8('garbage'),
    ApplicationPolicy.encode({ channelConfigPolicyReference: '/Channel/Application/None' }),
    ApplicationPolicy.encode({ channelConfigPolicyReference: 'Application/Endorsement' }),
    ApplicationPolicy.encode({ signaturePolicy: { version: 0, rule: undefined, identities: [] } }),
    ApplicationPolicy.encode({
      signaturePolicy: {
        version: 0,
        rule: { signedBy: 1, nOutOf: undefined },
        identities: parsePolicyText(`OR('${a.mspid}.member')`).identities,
      },
    }),
  ]) {
    t.notOk(config.evaluateApplicationPolicy(bytes, all));
  }
});
