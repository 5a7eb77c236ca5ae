import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { utf8 } from '#base';
import { identityNames } from '#cli';
import { Block, OrdererAddresses, deliverStatuses, isConfigBlock, lastConfigIndex } from '#formats';
import type { ConfigGroup } from '#formats';
import { setBatchSize, valueOf } from '../policy/good-updates.ts';
import { TestCa } from '../policy/test-ca.ts';
import { editMsp, groupAt, signaturePolicy } from '../policy/test-channel.ts';
import { broadcast, channelUpdate, configIn, pemSigner } from '../support/network-update.ts';
import { fabricBinaries } from './fabric-binaries.ts';
import { writeMspDir } from './msp-dir.ts';
import { StockUpdater } from './stock-updater.ts';
import { verdictIn } from './stored-block.ts';
import { UpdatingNetwork } from './updating-network.ts';
import { fabricVersions } from './versions.ts';

const dir = t.testdir();
const network = await UpdatingNetwork.start(t, dir);
const { layout, ports, spec } = network.zone.network;
const { zone } = spec;
const zoneAdmin = network.admin(zone.name, zone.mspid);
const [admin1, admin2, admin3] = (['1', '2', '3'] as const).map((number) =>
  network.admin(`org${number}`, `Org${number}MSP`),
);
const created = new Set([200]);

t.test('stock tools change the size of batches, and blocks keep to it', async (t) => {
  const { certificateFile, keyFile } = layout.identity(identityNames.admin(zone.name));
  for (const [index, version] of fabricVersions().entries()) {
    const mspDir = await writeMspDir(join(dir, `zone-admin-${index}`), {
      caCerts: [readFileSync(join(layout.ca(zone.name), 'ca.pem'), 'utf8')],
      signCert: readFileSync(certificateFile, 'utf8'),
      key: readFileSync(keyFile, 'utf8'),
    });
    const tools = new StockUpdater(await fabricBinaries(version), join(dir, `tools-${index}`), {
      channel: spec.channel,
      orderer: `localhost:${ports.deliver}`,
      tlsRootFile: layout.tls('manager').caFile,
    });
    await tools.update({ mspid: zone.mspid, mspDir }, ({ groups }) => {
      groups['Orderer']!.values['BatchSize']!.value['max_message_count'] = 9 - index;
    });
  }
  const first = await network.settled();
  const countMax = 10 - fabricVersions().length;
  t.strictSame(await network.deposit(30), created);
  const blocks = await network.peers[0]!.blocks(await network.settled());
  const counts = blocks.slice(Number(first)).map((block) => Block.decode(block).data!.data.length);
  t.ok(Math.max(...counts) <= countMax, counts.join(' '));
  t.ok(counts.length >= 30 / countMax, 'there were more than fit into one');
});

t.test('updates that break a rule are refused, and the chain goes on', async (t) => {
  const height = await network.settled();
  const config = await network.config();
  const [genesis] = await network.peers[0]!.blocks(1n);
  const old = configIn(Block.decode(genesis!));
  const eight = setBatchSize({ maxMessageCount: 8 });
  const none = setBatchSize({ maxMessageCount: 0 });
  const anotherSigner = (channel: ConfigGroup) => {
    const policy = signaturePolicy(`OR('${zone.mspid}.admin')`);
    groupAt(channel, 'Orderer').policies.get('BlockValidation')!.policy = policy;
  };
  const { badRequest, forbidden } = deliverStatuses;
  const refused = [
    ['DENIED', forbidden, channelUpdate(spec.channel, config, eight, [admin1!])],
    ['CONFIG_INVALID', badRequest, channelUpdate(spec.channel, config, none, [zoneAdmin])],
    ['VERSION_INVALID', badRequest, channelUpdate(spec.channel, old, eight, [zoneAdmin])],
    ['CHANNEL_OTHER', badRequest, channelUpdate('other', config, eight, [zoneAdmin])],
    ['ORDERER_DENIED', forbidden, channelUpdate(spec.channel, config, anotherSigner, [zoneAdmin])],
  ] as const;
  for (const [code, status, envelope] of refused) {
    const answer = await broadcast(network.zone, envelope);
    t.equal(answer.status, status, answer.info);
    t.match(answer.info, code);
  }
  t.equal(await network.height(), height);
  t.strictSame(await network.deposit(1), created);
});

t.test('a fourth organisation joins, and its late peers take every block', async (t) => {
  const count = network.peers.length;
  await network.addOrganization('Org4MSP', [admin1!, admin2!]);
  t.equal(network.peers.length, count + fabricVersions().length);
  t.strictSame(await network.deposit(3), created);
  await network.settled();
});

t.test('a revoked node endorses no more, and the others do', async (t) => {
  const crl = await network.nodeRevocation('org3');
  const revoke = (channel: ConfigGroup) =>
    editMsp(groupAt(channel, 'Application/Org3MSP'), (msp) => msp.revocationList.push(crl));
  await network.update(revoke, [admin3!]);
  t.strictSame(await network.deposit(9), created);
  await network.settled();
});

t.test('an update that was accepted outlives a manager that is killed', async (t) => {
  const { sequence } = await network.config();
  const envelope = await network.envelope(setBatchSize({ maxMessageCount: 50 }), [zoneAdmin]);
  t.match(await broadcast(network.zone, envelope), { status: deliverStatuses.success });
  await network.zone.restart('manager');
  t.strictSame(await network.deposit(1), created);
  t.equal((await network.config()).sequence, sequence + 1n);
});

t.test('the zone moves to another endpoint', async (t) => {
  const addresses = [`127.0.0.1:${ports.deliver}`];
  const move = (channel: ConfigGroup) => {
    const value = valueOf(groupAt(channel, `Orderer/${zone.mspid}`), 'Endpoints');
    value.value = OrdererAddresses.encode({ addresses });
  };
  await network.update(move, [zoneAdmin]);
  t.strictSame(await network.deposit(1), created);
  await network.settled();
});

t.test("the zone's keys move to another authority, and the first one goes", async (t) => {
  const ca = await TestCa.root('second ca of the zone');
  const inZone = (edit: Parameters<typeof editMsp>[1]) => (channel: ConfigGroup) =>
    editMsp(groupAt(channel, `Orderer/${zone.mspid}`), edit);
  await network.update(
    inZone((msp) => msp.rootCerts.push(utf8(ca.pem))),
    [zoneAdmin],
  );
  const dropFirst = inZone((msp) => {
    msp.rootCerts = [utf8(ca.pem)];
  });
  const early = await broadcast(network.zone, await network.envelope(dropFirst, [zoneAdmin]));
  t.match(early.info, 'ORDERER_DENIED', 'not while the ordering key is under the first');
  await network.recertifyZone(ca);
  await network.update(dropFirst, [zoneAdmin]);
  const boss = await ca.issue('boss', { units: ['admin'] });
  await network.update(setBatchSize({ maxMessageCount: 60 }), [
    pemSigner(zone.mspid, boss.pem, boss.keyPem),
  ]);
  t.strictSame(await network.deposit(1), created);
});

t.test('002-15 all peers, late ones too, give the same codes and commit hashes', async (t) => {
  const height = await network.settled();
  const all = await Promise.all(network.peers.map((peer) => peer.blocks(height)));
  for (const [index, blocks] of all.entries()) {
    t.strictSame(blocks.map(verdictIn), all[0]!.map(verdictIn), network.peers[index]!.name);
  }
  let lastConfig = 0n;
  for (const [number, bytes] of all[0]!.entries()) {
    const block = Block.decode(bytes);
    if (isConfigBlock(block)) lastConfig = BigInt(number);
    t.equal(lastConfigIndex(block), lastConfig, `last configuration of block ${number}`);
  }
  t.ok(lastConfig > 5n, `${lastConfig}`);
});
