import t from 'tap';
import { textOf, utf8 } from '#base';
import { parseCrl, pemBlocks } from '#crypto';
import { ChannelConfig, buildGenesisBlock } from '#policy';
import type { FabricMspConfig } from '#formats';
import { TestCa, epoch } from './test-ca.ts';
import { configOf, editMsp, groupAt, specOf, testNetwork, testOrg } from './test-channel.ts';

const network = await testNetwork(2);
const { spec, zone } = network;
const [org1, org2] = network.orgs as [(typeof network.orgs)[0], (typeof network.orgs)[0]];
const config = ChannelConfig.fromBlock(buildGenesisBlock(spec));
const invalid = { code: 'POLICY_IDENTITY_INVALID' };
const inYear = (year: number) => new Date(`${year}-06-01T00:00:00Z`);

/** The channel after an edit of Org1's membership provider. */
function withOrg1(edit: (fields: FabricMspConfig) => void): ChannelConfig {
  return configOf(spec, (channel) => editMsp(groupAt(channel, 'Application/Org1'), edit));
}

t.test('an identity has the role of its organisational unit and no other', async (t) => {
  for (const role of ['client', 'peer', 'admin', 'orderer'] as const) {
    const identity = config.identity(org1[role].serialized('Org1MSP'));
    const expected = { client: false, peer: false, admin: false, orderer: false, [role]: true };
    t.strictSame({ ...identity.roles }, expected);
    t.equal(identity.mspid, 'Org1MSP');
    t.equal(identity.subjectId, `Org1MSP::CN=${role}.Org1,OU=${role}`);
  }
});

t.test('002-21 a certificate of another authority is no identity', async (t) => {
  t.throws(() => config.identity(org2.peer.serialized('Org1MSP')), invalid);
  const stranger = await testOrg('Org1');
  t.throws(() => config.identity(stranger.peer.serialized('Org1MSP')), invalid);
});

t.test('a provider that the channel does not have is unknown', async (t) => {
  t.throws(() => config.identity(org1.peer.serialized('Org9MSP')), { code: 'POLICY_MSP_UNKNOWN' });
});

t.test('an authority is no identity', async (t) => {
  t.throws(() => config.identity(org1.ca.serialized('Org1MSP')), invalid);
});

t.test('an identity needs exactly one of the four units', async (t) => {
  const none = await org1.ca.issue('none', { units: ['staff'] });
  t.throws(() => config.identity(none.serialized('Org1MSP')), invalid);
  const two = await org1.ca.issue('two', { units: ['peer', 'client'] });
  t.throws(() => config.identity(two.serialized('Org1MSP')), invalid);
  const beside = await org1.ca.issue('beside', { units: ['staff', 'peer'] });
  t.ok(config.identity(beside.serialized('Org1MSP')).roles.peer);
});

t.test('without node units every member is valid and only listed ones are admins', async (t) => {
  const plain = await org1.ca.issue('plain');
  const open = withOrg1((fields) => {
    fields.fabricNodeOus = undefined;
    fields.admins = [utf8(org1.admin.pem)];
  });
  t.strictSame(
    { ...open.identity(plain.serialized('Org1MSP')).roles },
    { client: false, peer: false, admin: false, orderer: false },
  );
  t.ok(open.identity(org1.admin.serialized('Org1MSP')).roles.admin);
  t.notOk(open.identity(org1.peer.serialized('Org1MSP')).roles.peer);
});

t.test('a listed administrator is one beside its unit', async (t) => {
  const listed = withOrg1((fields) => {
    fields.admins = [utf8(org1.client.pem)];
  });
  const { roles } = listed.identity(org1.client.serialized('Org1MSP'));
  t.ok(roles.admin);
  t.ok(roles.client);
});

t.test('an expired certificate stays an identity, so that old blocks stay valid', async (t) => {
  const expired = await org1.ca.issue('old', {
    units: ['peer'],
    notBefore: inYear(2024),
    notAfter: inYear(2025),
  });
  t.ok(config.identity(expired.serialized('Org1MSP')).roles.peer);
});

t.test('a certificate older than its authority is no identity', async (t) => {
  const early = await org1.ca.issue('early', { units: ['peer'], notBefore: inYear(2023) });
  t.throws(() => config.identity(early.serialized('Org1MSP')), invalid);
});

t.test('a client certificate is refused outside its validity period', async (t) => {
  const client = await org1.ca.issue('brief', { units: ['client'], notAfter: inYear(2025) });
  const { der } = client.certificate;
  t.equal(config.identityOfCertificate(der, inYear(2024)).mspid, 'Org1MSP');
  t.throws(() => config.identityOfCertificate(der, inYear(2026)), invalid);
  t.throws(() => config.identityOfCertificate(der, new Date(epoch.getTime() - 1)), invalid);
});

t.test(
  'a bare certificate finds its organisation, and its serialized form is an identity',
  async (t) => {
    const found = config.identityOfCertificate(org2.client.certificate.der, inYear(2024));
    t.equal(found.mspid, 'Org2MSP');
    t.strictSame(found.serialized, org2.client.serialized('Org2MSP'));
    const stranger = await testOrg('Org3');
    t.throws(
      () => config.identityOfCertificate(stranger.client.certificate.der, inYear(2024)),
      invalid,
    );
    t.throws(() => config.identityOfCertificate(utf8('no certificate'), inYear(2024)), invalid);
  },
);

t.test('a certificate that two organisations could have issued belongs to neither', async (t) => {
  const shared = { ...org2, ca: org1.ca };
  const ambiguous = ChannelConfig.fromBlock(buildGenesisBlock(specOf(zone, [org1, shared])));
  t.throws(
    () => ambiguous.identityOfCertificate(org1.client.certificate.der, inYear(2024)),
    invalid,
  );
  t.ok(ambiguous.identity(org1.client.serialized('Org1MSP')).roles.client);
});

t.test('a revoked certificate is no identity, whatever the dates of the list', async (t) => {
  const crl = await org1.ca.crl(org1.peer);
  const after = withOrg1((fields) => {
    fields.revocationList = [crl];
  });
  t.throws(() => after.identity(org1.peer.serialized('Org1MSP')), {
    ...invalid,
    detail: { reason: 'revoked' },
  });
  t.ok(after.identity(org1.client.serialized('Org1MSP')));
  t.throws(() => after.identityOfCertificate(org1.peer.certificate.der, inYear(2024)), invalid);
});

t.test('a list that the authority did not sign revokes nothing', async (t) => {
  const foreign = await TestCa.root('ca.Org1');
  const crl = parseCrl(pemBlocks(textOf(await org1.ca.crl(org1.peer)), 'X509 CRL')[0]!);
  const tampered = Uint8Array.from(crl.der);
  tampered[tampered.length - 1]! ^= 1;
  t.ok(parseCrl(tampered).revoked.has(org1.peer.certificate.serialHex));
  for (const list of [await foreign.crl(org1.peer), tampered]) {
    const after = withOrg1((fields) => {
      fields.revocationList = [list];
    });
    t.ok(after.identity(org1.peer.serialized('Org1MSP')));
  }
});

t.test('an intermediate authority issues identities, and its root no longer does', async (t) => {
  const intermediate = await org1.ca.intermediate('ica.Org1');
  const peer = await intermediate.issue('peer', { units: ['peer'] });
  const after = withOrg1((fields) => {
    fields.intermediateCerts = [utf8(intermediate.pem)];
  });
  t.ok(after.identity(peer.serialized('Org1MSP')).roles.peer);
  t.throws(() => after.identity(org1.peer.serialized('Org1MSP')), invalid);
  t.throws(() => config.identity(peer.serialized('Org1MSP')), invalid);
});

t.test('a unit that one authority certifies does not count from another', async (t) => {
  const first = await org1.ca.intermediate('ica1.Org1');
  const second = await org1.ca.intermediate('ica2.Org1');
  const after = withOrg1((fields) => {
    fields.intermediateCerts = [utf8(first.pem), utf8(second.pem)];
    fields.fabricNodeOus!.peerOuIdentifier!.certificate = utf8(first.pem);
  });
  const right = await first.issue('right', { units: ['peer'] });
  const wrong = await second.issue('wrong', { units: ['peer'] });
  t.ok(after.identity(right.serialized('Org1MSP')).roles.peer);
  t.throws(() => after.identity(wrong.serialized('Org1MSP')), invalid);
  const client = await second.issue('client', { units: ['client'] });
  t.ok(after.identity(client.serialized('Org1MSP')).roles.client);
});

t.test('where a provider names its units, an identity needs one of them', async (t) => {
  const after = withOrg1((fields) => {
    fields.organizationalUnitIdentifiers = [
      { certificate: utf8(org1.ca.pem), organizationalUnitIdentifier: 'sales' },
    ];
  });
  const sales = await org1.ca.issue('sales', { units: ['sales', 'client'] });
  t.ok(after.identity(sales.serialized('Org1MSP')));
  t.throws(() => after.identity(org1.client.serialized('Org1MSP')), invalid);
});

t.test('an extended key usage without serverAuth is refused, as Go refuses it', async (t) => {
  const clientAuth = '1.3.6.1.5.5.7.3.2';
  const serverAuth = '1.3.6.1.5.5.7.3.1';
  const one = await org1.ca.issue('one', { units: ['peer'], extendedKeyUsages: [clientAuth] });
  t.throws(() => config.identity(one.serialized('Org1MSP')), invalid);
  const both = [clientAuth, serverAuth];
  const two = await org1.ca.issue('two', { units: ['peer'], extendedKeyUsages: both });
  t.ok(config.identity(two.serialized('Org1MSP')));
});

t.test('text around the PEM block, headers and white space do not matter', async (t) => {
  const { pem } = org1.peer;
  const [begin, ...rest] = pem.split('\n');
  const accepted = [
    `some text\n${pem}`,
    `${pem}trailing`,
    pem.replaceAll('\n', '\r\n'),
    [begin, 'Comment: x', '', ...rest].join('\n'),
    pem.replaceAll('CERTIFICATE', 'ANYTHING'),
    `-----BEGIN BROKEN-----\n!!\n-----END BROKEN-----\n${pem}`,
  ];
  for (const text of accepted) {
    t.ok(config.identity(org1.peer.serialized('Org1MSP', text)).roles.peer, text.slice(0, 40));
  }
  const refused = [
    '',
    'text',
    pem.slice(1),
    pem.replace('END CERTIFICATE', 'END OTHER'),
    pem.replace('M', '*'),
  ];
  for (const text of refused) {
    t.throws(() => config.identity(org1.peer.serialized('Org1MSP', text)), invalid);
  }
});
