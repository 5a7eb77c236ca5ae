import t from 'tap';
import { ImplicitMetaPolicy, implicitMetaRules, policyTypes } from '#formats';
import type { ChannelConfig } from '#policy';
import { configOf, editMsp, groupAt, signaturePolicy, signed } from './test-channel.ts';
import type { TestOrg } from './test-channel.ts';
import { config, data, orgs, peersOf, spec } from './test-policies.ts';

const [a, b, c, d] = orgs as [TestOrg, TestOrg, TestOrg, TestOrg];

t.test('a policy path that does not exist rejects everyone', async (t) => {
  const all = peersOf(...orgs);
  for (const path of [
    '',
    '/',
    '/Channel',
    '/Channel/None',
    'Channel/Readers',
    '/Channel/Readers/',
  ]) {
    t.notOk(config.evaluate(path, all), path);
  }
});

t.test('policies are found at every level of the channel', async (t) => {
  const client = [signed(a.mspid, a.client, data)];
  t.ok(config.evaluate('/Channel/Application/Org1/Writers', client));
  t.ok(config.evaluate('/Channel/Application/Writers', client));
  t.ok(config.evaluate('/Channel/Writers', client));
  t.notOk(config.evaluate('/Channel/Application/Org2/Writers', client));
  t.notOk(config.evaluate('/Channel/Orderer/Writers', client));
  t.notOk(config.evaluate('/Channel/Application/Admins', client));
  const admins = [a, b, c, d].map((org) => signed(org.mspid, org.admin, data));
  t.ok(config.evaluate('/Channel/Application/Admins', admins));
  t.notOk(config.evaluate('/Channel/Application/Admins', admins.slice(1)));
});

/** Application/Test as an implicit policy over `Endorsement`, which `withPolicy` organisations have. */
function implicitChannel(rule: number, orgCount: number, withPolicy: number): ChannelConfig {
  return configOf({ ...spec, organizations: spec.organizations.slice(0, orgCount) }, (channel) => {
    const application = groupAt(channel, 'Application');
    const value = ImplicitMetaPolicy.encode({ subPolicy: 'Endorsement', rule });
    const policy = { type: policyTypes.implicitMeta, value };
    application.policies.set('Test', { version: 0n, policy, modPolicy: 'Admins' });
    for (const org of [...application.groups.values()].slice(withPolicy)) {
      org.policies.delete('Endorsement');
    }
  });
}

for (const { name, orgCount, withPolicy, needed } of [
  { name: 'any', orgCount: 3, withPolicy: 3, needed: 1 },
  { name: 'all', orgCount: 3, withPolicy: 3, needed: 3 },
  { name: 'majority', orgCount: 1, withPolicy: 1, needed: 1 },
  { name: 'majority', orgCount: 2, withPolicy: 2, needed: 2 },
  { name: 'majority', orgCount: 3, withPolicy: 3, needed: 2 },
  { name: 'majority', orgCount: 4, withPolicy: 4, needed: 3 },
  { name: 'majority', orgCount: 5, withPolicy: 5, needed: 3 },
  // Organisations without the policy count, and never agree.
  { name: 'majority', orgCount: 5, withPolicy: 3, needed: 3 },
  { name: 'any', orgCount: 3, withPolicy: 1, needed: 1 },
] as const) {
  const title = `${name} of ${orgCount} organisations, ${withPolicy} with the policy, is ${needed}`;
  t.test(title, async (t) => {
    const implicit = implicitChannel(implicitMetaRules[name], orgCount, withPolicy);
    const path = '/Channel/Application/Test';
    for (let count = 0; count <= withPolicy; count += 1) {
      const signatures = peersOf(...orgs.slice(0, count));
      t.equal(implicit.evaluate(path, signatures), count >= needed, `${count} signatures`);
    }
  });
}

t.test('all of the organisations is never met when one of them lacks the policy', async (t) => {
  const implicit = implicitChannel(implicitMetaRules.all, 3, 2);
  t.notOk(implicit.evaluate('/Channel/Application/Test', peersOf(a, b, c)));
});

t.test('an implicit policy over no groups at all is always met, as in Fabric', async (t) => {
  const implicit = configOf(spec, (channel) => {
    const org = groupAt(channel, 'Application/Org1');
    const value = ImplicitMetaPolicy.encode({ subPolicy: 'X', rule: implicitMetaRules.majority });
    const policy = { type: policyTypes.implicitMeta, value };
    org.policies.set('Test', { version: 0n, policy, modPolicy: 'Admins' });
  });
  t.ok(implicit.evaluate('/Channel/Application/Org1/Test', []));
});

t.test('a signer of one implicit part may serve another part too', async (t) => {
  const shared = configOf(spec, (channel) => {
    for (const name of ['Org1', 'Org2', 'Org3', 'Org4']) {
      const policy = signaturePolicy(`OR('${a.mspid}.peer')`);
      const org = groupAt(channel, `Application/${name}`);
      org.policies.set('Endorsement', { version: 0n, policy, modPolicy: 'Admins' });
    }
  });
  t.ok(shared.evaluate('/Channel/Application/Endorsement', peersOf(a)));
});

t.test('a revoked signer satisfies no role', async (t) => {
  const crl = await a.ca.crl(a.peer);
  const after = configOf(spec, (channel) => {
    editMsp(groupAt(channel, 'Application/Org1'), (fields) => {
      fields.revocationList = [crl];
    });
  });
  const path = '/Channel/Application/Org1/Endorsement';
  t.ok(config.evaluate(path, peersOf(a)));
  t.notOk(after.evaluate(path, peersOf(a)));
});
