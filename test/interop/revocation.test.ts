import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { FabricCa, certifyKey, pemSigner, revokeKey, rotateKey } from '#cli';
import { buildCsr, parsePem, pemBlock } from '#crypto';
import { Block, isConfigBlock } from '#formats';
import { until } from './poll.ts';
import { startFabricCaServer } from './fabric-ca-server.ts';
import { sdkClient } from './sdk-client.ts';
import { validationCodesIn, verdictIn } from './stored-block.ts';
import { UpdatingNetwork } from './updating-network.ts';
import { fabricVersions } from './versions.ts';
import { zoneProfile } from './zone-for-clients.ts';

const valid = 0;
const endorsementPolicyFailure = 10;
const pairs = [
  ['Org1MSP', 'Org2MSP'],
  ['Org2MSP', 'Org3MSP'],
  ['Org1MSP', 'Org3MSP'],
] as const;
const dir = t.testdir();
const network = await UpdatingNetwork.start(t, dir);
const { zone } = network;
const { layout } = zone.network;
await zone.client('user1');
const registrar = {
  certificateFile: join(dir, 'registrar.pem'),
  keyFile: join(dir, 'registrar.key'),
};
await certifyByFabricCa();
let deposits = 0;

/** Gives org1's authority to a Fabric CA server, which then certifies org1's node. */
async function certifyByFabricCa(): Promise<void> {
  const node = { name: 'node0.org1', pass: 'secret of the node', type: 'peer' } as const;
  const attrs = { 'hf.Revoker': 'true', 'hf.GenCRL': 'true', 'hf.Registrar.Roles': '*' };
  const clerk = {
    name: 'registrar',
    pass: 'secret of the registrar',
    type: 'client',
    attrs,
  } as const;
  const tls = layout.tls('manager');
  const { url } = await startFabricCaServer(t, {
    dir: join(dir, 'fabric-ca'),
    tls,
    authority: {
      certificateFile: layout.caCertificate('org1'),
      keyFile: join(layout.ca('org1'), 'ca.key.pem'),
    },
    identities: [node, clerk],
  });
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const keyPem = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
  const spki = new Uint8Array(publicKey.export({ type: 'spki', format: 'der' }));
  const signer = pemSigner('Org1MSP', '', keyPem);
  const request = { subject: { commonName: clerk.name }, publicKeySpki: spki };
  const csr = await buildCsr(request, (content) => signer.sign(content));
  const ca = new FabricCa({ url, tlsCaFile: tls.caFile });
  const identity = { id: clerk.name, secret: clerk.pass };
  writeFileSync(registrar.keyFile, keyPem, { mode: 0o600 });
  writeFileSync(
    registrar.certificateFile,
    await ca.enroll(identity, pemBlock('CERTIFICATE REQUEST', csr)),
  );
  const secretsDir = join(dir, 'secrets');
  mkdirSync(secretsDir);
  writeFileSync(join(secretsDir, `${node.name}.secret`), node.pass);
  const source = { kind: 'fabric-ca', url, tlsCaFile: tls.caFile, secretsDir, registrar };
  writeFileSync(layout.certificateSource('org1'), JSON.stringify(source));
  await certifyKey(zone.dir, node.name);
  await zone.restart('signer-org1', 'endorser-1', 'endorser-2', 'manager');
}

/** A transaction with the endorsements of these organisations, to be submitted later. */
async function endorsed(...organizations: string[]) {
  deposits += 1;
  const client = sdkClient({ ...zoneProfile(zone), contract: 'notary' });
  t.teardown(() => client[Symbol.dispose]());
  const contract = client.gateway.getNetwork(zone.channel).getContract('notary');
  return contract
    .newProposal('deposit', {
      arguments: [deposits.toString(16).padStart(64, '0'), 'deed', 'text/plain'],
      endorsingOrganizations: organizations,
    })
    .endorse();
}

t.test('with all certificates in order every peer takes every pair of endorsements', async (t) => {
  for (const pair of pairs) {
    const { code } = await (await (await endorsed(...pair)).submit()).getStatus();
    t.equal(code, valid, pair.join());
  }
});

const cases = [
  ['a Fabric CA', 'node0.org1', ['Org1MSP', 'Org2MSP']],
  ['the development CA', 'node0.org3', ['Org2MSP', 'Org3MSP']],
] as const;
for (const [authority, key, pair] of cases) {
  t.test(
    `what a node endorsed that ${authority} revoked is refused, until it has a new key`,
    async (t) => {
      const ahead = await endorsed(...pair);
      const { serial } = await revokeKey(zone.dir, key);
      t.equal(serial, parsePem(readFileSync(layout.keyCertificate(key), 'utf8')).serialHex);
      const { code, blockNumber } = await (await ahead.submit()).getStatus();
      t.equal(code, endorsementPolicyFailure);
      await network.settled();
      t.equal(network.peers.length, 2 + fabricVersions().length);
      for (const peer of network.peers) {
        const block = await peer.block(blockNumber);
        t.strictSame(validationCodesIn(block), [endorsementPolicyFailure], peer.name);
        const before = Block.decode(await peer.block(blockNumber - 1n));
        t.ok(isConfigBlock(before), 'the block before is the one that revoked it');
      }
      await t.rejects(certifyKey(zone.dir, key), { code: 'CLI_KEY_COMPROMISED' });
      t.equal((await rotateKey(zone.dir, key)).label, `${key}~2`);
      await until(`endorsements of ${pair.join()}`, 60_000, async () => {
        const again = await (await (await endorsed(...pair)).submit()).getStatus();
        return again.code === valid;
      });
    },
  );
}

t.test('with the new keys revoked too, one node satisfies no policy of two', async (t) => {
  const [first, second] = [
    await revokeKey(zone.dir, 'node0.org1~2'),
    await revokeKey(zone.dir, 'node0.org3'),
  ];
  t.equal(second.configuration, first.configuration + 1n);
  const height = await network.height();
  t.strictSame(await network.deposit(1), new Set([503]));
  t.equal(await network.height(), height, 'nothing is ordered');
});

t.test('all peers keep the same codes and commit hashes, earlier blocks stay valid', async (t) => {
  const height = await network.settled();
  const all = await Promise.all(network.peers.map((peer) => peer.blocks(height)));
  const [first, ...others] = all.map((blocks) => blocks.map(verdictIn));
  for (const [index, other] of others.entries()) {
    t.strictSame(other, first, network.peers[index + 1]!.name);
  }
  const codes = first!.flatMap((one) => one.codes);
  t.equal(codes.filter((code) => code === endorsementPolicyFailure).length, 2);
  t.equal(codes.filter((code) => code !== valid).length, 2);
});
