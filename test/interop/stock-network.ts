import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { FabricBinaries } from './fabric-binaries.ts';
import type { StockPeerOptions } from './stock-peer.ts';

const execute = promisify(execFile);
const channel = 'stock';

/**
 * A channel of one organisation that only Fabric's own programs made: what our genesis block and our
 * certificates are compared with, and what the peer's tooling is tested on.
 *
 * @param dir becomes the network's.
 * @param ordererPort where the genesis block says that blocks come from; nothing listens there.
 */
export async function stockNetwork(
  binaries: FabricBinaries,
  dir: string,
  ordererPort: number,
): Promise<Omit<StockPeerOptions, 'dir'>> {
  await mkdir(dir, { recursive: true });
  await writeFile(join(dir, 'crypto.yaml'), cryptoConfig);
  await writeFile(join(dir, 'configtx.yaml'), channelConfig(ordererPort));
  await execute(binaries.cryptogen, ['generate', '--config=crypto.yaml', '--output=crypto'], {
    cwd: dir,
  });
  await execute(
    binaries.configtxgen,
    ['-profile', 'Stock', '-channelID', channel, '-outputBlock', 'genesis.block'],
    { cwd: dir, env: { ...process.env, FABRIC_CFG_PATH: dir } },
  );
  const org = join(dir, 'crypto', 'peerOrganizations', 'one.test');
  const tls = join(org, 'peers', 'peer0.one.test', 'tls');
  return {
    binaries,
    channel,
    genesisBlockFile: join(dir, 'genesis.block'),
    mspId: 'OneMSP',
    mspDir: join(org, 'users', 'User1@one.test', 'msp'),
    adminMspDir: join(org, 'users', 'Admin@one.test', 'msp'),
    tls: {
      cert: await readFile(join(tls, 'server.crt'), 'utf8'),
      key: await readFile(join(tls, 'server.key'), 'utf8'),
      root: await readFile(join(tls, 'ca.crt'), 'utf8'),
    },
  };
}

const cryptoConfig = `
OrdererOrgs:
  - { Name: Zone, Domain: zone.test, EnableNodeOUs: true, Specs: [{ Hostname: orderer, SANS: [127.0.0.1] }] }
PeerOrgs:
  - { Name: One, Domain: one.test, EnableNodeOUs: true, Template: { Count: 1, SANS: [127.0.0.1] }, Users: { Count: 1 } }
`;

function channelConfig(ordererPort: number): string {
  const implicit = (rule: string) => `{ Type: ImplicitMeta, Rule: "${rule}" }`;
  const signature = (rule: string) => `{ Type: Signature, Rule: "OR('${rule}')" }`;
  const metaPolicies = [
    `Readers: ${implicit('ANY Readers')}`,
    `Writers: ${implicit('ANY Writers')}`,
    `Admins: ${implicit('MAJORITY Admins')}`,
  ].join(', ');
  const orgPolicies = (mspId: string) =>
    [
      `Readers: ${signature(`${mspId}.member`)}`,
      `Writers: ${signature(`${mspId}.member`)}`,
      `Admins: ${signature(`${mspId}.admin`)}`,
      `Endorsement: ${signature(`${mspId}.peer`)}`,
    ].join(', ');
  const tlsCert = 'crypto/ordererOrganizations/zone.test/orderers/orderer.zone.test/tls/server.crt';
  return `
Profiles:
  Stock:
    Policies: { ${metaPolicies} }
    Capabilities: { V2_0: true }
    Orderer:
      OrdererType: etcdraft
      EtcdRaft:
        Consenters: [{ Host: 127.0.0.1, Port: ${ordererPort}, ClientTLSCert: ${tlsCert}, ServerTLSCert: ${tlsCert} }]
      BatchTimeout: 1s
      BatchSize: { MaxMessageCount: 500, AbsoluteMaxBytes: 10 MB, PreferredMaxBytes: 2 MB }
      Policies: { ${metaPolicies}, BlockValidation: ${implicit('ANY Writers')} }
      Capabilities: { V2_0: true }
      Organizations:
        - Name: ZoneMSP
          ID: ZoneMSP
          MSPDir: crypto/ordererOrganizations/zone.test/msp
          Policies: { ${orgPolicies('ZoneMSP')} }
          OrdererEndpoints: ["127.0.0.1:${ordererPort}"]
    Application:
      Policies: { ${metaPolicies}, LifecycleEndorsement: ${implicit('MAJORITY Endorsement')}, Endorsement: ${implicit('MAJORITY Endorsement')} }
      Capabilities: { V2_5: true }
      Organizations:
        - Name: OneMSP
          ID: OneMSP
          MSPDir: crypto/peerOrganizations/one.test/msp
          Policies: { ${orgPolicies('OneMSP')} }
`;
}
