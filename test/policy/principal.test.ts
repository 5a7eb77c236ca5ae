import t from 'tap';
import { emptyBytes, utf8 } from '#base';
import { sha256 } from '#crypto';
import {
  CombinedPrincipal,
  MspIdentityAnonymity,
  MspRole,
  OrganizationUnit,
  mspRoles,
  principalClassifications,
} from '#formats';
import type { MspPrincipal } from '#formats';
import { signed } from './test-channel.ts';
import type { TestOrg } from './test-channel.ts';
import { data, orgs, peersOf, principalPolicy, satisfied } from './test-policies.ts';

const [a, b] = orgs as [TestOrg, TestOrg];

t.test('a member of another provider never satisfies a role', async (t) => {
  t.notOk(satisfied(`OR('${a.mspid}.member')`, peersOf(b)));
  t.ok(satisfied(`OR('${a.mspid}.member')`, [signed(a.mspid, a.client, data)]));
});

for (const role of ['client', 'peer', 'admin', 'orderer'] as const) {
  t.test(`the role ${role} is satisfied by its own unit alone`, async (t) => {
    for (const other of ['client', 'peer', 'admin', 'orderer'] as const) {
      const signature = signed(a.mspid, a[other], data);
      t.equal(satisfied(`OR('${a.mspid}.${role}')`, [signature]), other === role, other);
    }
  });
}

t.test('an organisational unit is satisfied with the path that certified it', async (t) => {
  const unit = (organizationalUnitIdentifier: string, certifiersIdentifier: Uint8Array) =>
    principalPolicy({
      principalClassification: principalClassifications.organizationUnit,
      principal: OrganizationUnit.encode({
        mspIdentifier: a.mspid,
        organizationalUnitIdentifier,
        certifiersIdentifier,
      }),
    });
  const certifiers = sha256(a.ca.certificate.der);
  t.ok(satisfied(unit('peer', certifiers), peersOf(a)));
  t.notOk(satisfied(unit('admin', certifiers), peersOf(a)));
  t.notOk(satisfied(unit('peer', sha256(b.ca.certificate.der)), peersOf(a)));
  t.notOk(satisfied(unit('peer', emptyBytes), peersOf(a)));
});

t.test('an identity principal is satisfied by that certificate alone', async (t) => {
  const principal = {
    principalClassification: principalClassifications.identity,
    principal: a.peer.serialized(a.mspid),
  };
  const other = await a.ca.issue('peer.Org1', { units: ['peer'] });
  t.ok(satisfied(principalPolicy(principal), peersOf(a)));
  t.notOk(satisfied(principalPolicy(principal), [signed(a.mspid, other, data)]));
  t.notOk(satisfied(principalPolicy(principal), peersOf(b)));
});

t.test('a nominal principal is satisfied by anyone, an anonymous one by nobody', async (t) => {
  const anonymity = (anonymityType: number) =>
    principalPolicy({
      principalClassification: principalClassifications.anonymity,
      principal: MspIdentityAnonymity.encode({ anonymityType }),
    });
  t.ok(satisfied(anonymity(0), peersOf(a)));
  t.notOk(satisfied(anonymity(1), peersOf(a)));
  t.notOk(satisfied(anonymity(2), peersOf(a)));
});

t.test('a combined principal needs all of its parts in one signer', async (t) => {
  const role = (roleNumber: number): MspPrincipal => ({
    principalClassification: principalClassifications.role,
    principal: MspRole.encode({ mspIdentifier: a.mspid, role: roleNumber }),
  });
  const combined = (...principals: MspPrincipal[]): MspPrincipal => ({
    principalClassification: principalClassifications.combined,
    principal: CombinedPrincipal.encode({ principals }),
  });
  const both = combined(role(mspRoles.member), combined(role(mspRoles.peer)));
  t.ok(satisfied(principalPolicy(both), peersOf(a)));
  const impossible = combined(role(mspRoles.client), role(mspRoles.peer));
  t.notOk(satisfied(principalPolicy(impossible), [...peersOf(a), signed(a.mspid, a.client, data)]));
  t.notOk(satisfied(principalPolicy(combined()), peersOf(a)));
  t.notOk(satisfied(principalPolicy(combined(role(mspRoles.peer), combined())), peersOf(a)));
  let deep = role(mspRoles.peer);
  for (let level = 0; level < 2_000; level += 1) deep = combined(deep);
  t.notOk(satisfied(principalPolicy(deep), peersOf(a)));
});

t.test('a principal that cannot be read describes nobody', async (t) => {
  for (const principalClassification of [0, 1, 2, 3, 4, 5, -1]) {
    const principal = { principalClassification, principal: utf8('\u0007garbage') };
    t.notOk(satisfied(principalPolicy(principal), peersOf(a)));
  }
});
