import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { utf8 } from '#base';
import { Block, SerializedIdentity } from '#formats';
import { ChannelConfig, buildGenesisBlock } from '#policy';
import type { GenesisSpec } from '#policy';
import { fabricBinaries } from './fabric-binaries.ts';
import { freeLoopbackPorts } from './loopback-ports.ts';
import { stockNetwork } from './stock-network.ts';
import { startStockPeer } from './stock-peer.ts';
import { fabricVersions } from './versions.ts';

const execute = promisify(execFile);

for (const version of fabricVersions()) {
  t.test(`genesis blocks, ours and stock (${version.name})`, async (t) => {
    const dir = t.testdir();
    const [ordererPort = 0] = await freeLoopbackPorts(1);
    const binaries = await fabricBinaries(version);
    const network = await stockNetwork(binaries, join(dir, 'network'), ordererPort);
    const crypto = join(dir, 'network', 'crypto');
    const stock = readFileSync(network.genesisBlockFile);
    const ours = Block.encode(buildGenesisBlock(specOf(crypto, network.channel, ordererPort)));
    const oursFile = join(dir, 'ours.block');
    writeFileSync(oursFile, ours);

    await t.test('a block of configtxgen is a configuration to us', async (t) => {
      const config = ChannelConfig.fromBlock(Block.decode(stock));
      t.equal(config.channelId, network.channel);
      t.strictSame(config.applicationOrgs, ['OneMSP']);
      t.strictSame(config.ordererEndpoints, [`127.0.0.1:${ordererPort}`]);
      t.equal(config.batchTimeoutMs, 1_000);
    });

    await t.test('identities of cryptogen have the roles that it gave them', async (t) => {
      const config = ChannelConfig.fromBlock(Block.decode(stock));
      for (const { mspid, dir: mspDir, name, role } of identitiesIn(crypto)) {
        const pem = readFileSync(join(mspDir, 'msp', 'signcerts', `${name}-cert.pem`), 'utf8');
        const serialized = SerializedIdentity.encode({ mspid, idBytes: utf8(pem) });
        const { roles } = config.identity(serialized);
        const expected = { client: false, peer: false, admin: false, orderer: false, [role]: true };
        t.strictSame({ ...roles }, expected, name);
      }
    });

    await t.test('our block has the elements of the stock one, name for name', async (t) => {
      const decoded = async (file: string) => {
        const json = `${file}.json`;
        const args = ['--type', 'common.Block', '--input', file, '--output', json];
        await execute(binaries.configtxlator, ['proto_decode', ...args]);
        const block = JSON.parse(readFileSync(json, 'utf8'));
        return elementsOf(block.data.data[0].payload.data.config.channel_group);
      };
      // The stock network's zone has an endorsement policy for want of another template.
      const extra = 'policy /Channel/Orderer/ZoneMSP/Endorsement Admins';
      const wanted = (await decoded(network.genesisBlockFile)).filter((one) => one !== extra);
      t.strictSame(await decoded(oursFile), wanted);
    });

    await t.test('configtxgen prints our block', async (t) => {
      const args = ['-inspectBlock', oursFile];
      const env = { ...process.env, FABRIC_CFG_PATH: join(dir, 'network') };
      const { stdout } = await execute(binaries.configtxgen, args, { env, maxBuffer: 1 << 26 });
      t.equal(JSON.parse(stdout).header.number, '0');
    });

    await t.test('a stock peer joins with our block', async (t) => {
      const peer = await startStockPeer(t, {
        ...network,
        genesisBlockFile: oursFile,
        dir: join(dir, 'peer'),
      });
      t.equal(await peer.height(), 1n);
      t.strictSame(Block.decode(await peer.block(0n)).header, Block.decode(ours).header);
    });
  });
}

/** What cryptogen made, with the role it was told to give. */
function identitiesIn(crypto: string) {
  const one = join(crypto, 'peerOrganizations', 'one.test');
  const zone = join(crypto, 'ordererOrganizations', 'zone.test');
  const identity = (mspid: string, parent: string, name: string, role: string) => {
    return { mspid, dir: join(parent, name), name, role };
  };
  return [
    identity('OneMSP', join(one, 'users'), 'Admin@one.test', 'admin'),
    identity('OneMSP', join(one, 'users'), 'User1@one.test', 'client'),
    identity('OneMSP', join(one, 'peers'), 'peer0.one.test', 'peer'),
    identity('ZoneMSP', join(zone, 'orderers'), 'orderer.zone.test', 'orderer'),
  ];
}

function specOf(crypto: string, channelId: string, port: number): GenesisSpec {
  const organization = (name: string, folder: string, domain: string) => {
    const pem = (kind: string, file: string) =>
      readFileSync(join(crypto, folder, domain, 'msp', kind, `${file}.${domain}-cert.pem`), 'utf8');
    return {
      name,
      mspid: name,
      rootCertificates: [pem('cacerts', 'ca')],
      tlsRootCertificates: [pem('tlscacerts', 'tlsca')],
    };
  };
  const orderer = join(
    crypto,
    'ordererOrganizations',
    'zone.test',
    'orderers',
    'orderer.zone.test',
  );
  return {
    channelId,
    time: new Date('2024-01-01T00:00:00Z'),
    nonce: new Uint8Array(24).fill(7),
    zone: {
      ...organization('ZoneMSP', 'ordererOrganizations', 'zone.test'),
      endpoints: [`127.0.0.1:${port}`],
    },
    consenter: {
      host: '127.0.0.1',
      port,
      tlsCertificate: readFileSync(join(orderer, 'tls', 'server.crt'), 'utf8'),
    },
    organizations: [organization('OneMSP', 'peerOrganizations', 'one.test')],
  };
}

interface JsonGroup {
  mod_policy: string;
  groups: Record<string, JsonGroup>;
  values: Record<string, { mod_policy: string }>;
  policies: Record<string, { mod_policy: string; policy: { type: number } }>;
}

/** Path, kind and modification policy of everything in a configuration, sorted. */
function elementsOf(group: JsonGroup, path = '/Channel'): string[] {
  const own = [
    `group ${path} ${group.mod_policy}`,
    ...Object.entries(group.values).map(([name, one]) => `value ${path}/${name} ${one.mod_policy}`),
    ...Object.entries(group.policies).map(
      ([name, one]) => `policy ${path}/${name} ${one.mod_policy}`,
    ),
  ];
  const below = Object.entries(group.groups).flatMap(([name, inner]) =>
    elementsOf(inner, `${path}/${name}`),
  );
  return [...own, ...below].toSorted();
}
