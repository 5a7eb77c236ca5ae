import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { FabricBinaries } from './fabric-binaries.ts';
import type { StockPeerOptions } from './stock-peer.ts';

const execute = promisify(execFile);

/** Where a node is reached; its TLS certificate is for this host. */
export interface StockPlace {
  readonly host: string;
  readonly port: number;
}

export interface StockSpec {
  readonly channel: string;
  readonly orderer: StockPlace;
  /** `One` becomes the MSP `OneMSP` of the domain one.test, with one peer and one user. */
  readonly organisations: readonly {
    readonly name: string;
    readonly peer: StockPlace;
    /** Whether other organisations' peers find this one. */
    readonly anchor: boolean;
  }[];
  readonly blockWaitMs: number;
}

/** What cryptogen and configtxgen made in `dir`. */
export interface StockMaterial {
  readonly genesisBlockFile: string;
  /** The ordering node's `msp` and `tls` directories lie here. */
  readonly ordererDir: string;
  /** What a peer of the organisation is started with; as the organisation's user unless told otherwise. */
  peer(orgName: string, identity?: 'user' | 'peer'): Promise<PeerMaterial>;
  /** PEM files of the organisation's user. */
  user(orgName: string): { certificateFile: string; keyFile: string };
}

type PeerMaterial = Pick<StockPeerOptions, 'mspId' | 'mspDir' | 'adminMspDir' | 'tls'>;

/** Makes a channel of which Fabric's own programs made everything. */
export async function stockMaterial(
  binaries: FabricBinaries,
  dir: string,
  spec: StockSpec,
): Promise<StockMaterial> {
  await mkdir(dir, { recursive: true });
  await writeFile(join(dir, 'crypto.yaml'), cryptoConfig(spec));
  await writeFile(join(dir, 'configtx.yaml'), channelConfig(spec));
  await execute(binaries.cryptogen, ['generate', '--config=crypto.yaml', '--output=crypto'], {
    cwd: dir,
  });
  const genesis = ['-profile', 'Stock', '-channelID', spec.channel];
  await execute(binaries.configtxgen, [...genesis, '-outputBlock', 'genesis.block'], {
    cwd: dir,
    env: { ...process.env, FABRIC_CFG_PATH: dir },
  });
  const orgDir = (name: string) =>
    join(dir, 'crypto', 'peerOrganizations', `${name.toLowerCase()}.test`);
  const userDir = (name: string, user: string) =>
    join(orgDir(name), 'users', `${user}@${name.toLowerCase()}.test`, 'msp');
  return {
    genesisBlockFile: join(dir, 'genesis.block'),
    ordererDir: join(dir, 'crypto', 'ordererOrganizations', 'zone.test', 'orderers', ordererName),
    peer: async (name, identity = 'user') => {
      const peerDir = join(orgDir(name), 'peers', `peer0.${name.toLowerCase()}.test`);
      return {
        mspId: `${name}MSP`,
        mspDir: identity === 'peer' ? join(peerDir, 'msp') : userDir(name, 'User1'),
        adminMspDir: userDir(name, 'Admin'),
        tls: {
          cert: await readFile(join(peerDir, 'tls', 'server.crt'), 'utf8'),
          key: await readFile(join(peerDir, 'tls', 'server.key'), 'utf8'),
          root: await readFile(join(peerDir, 'tls', 'ca.crt'), 'utf8'),
        },
      };
    },
    user: (name) => ({
      certificateFile: join(
        userDir(name, 'User1'),
        'signcerts',
        `User1@${name.toLowerCase()}.test-cert.pem`,
      ),
      keyFile: join(userDir(name, 'User1'), 'keystore', 'priv_sk'),
    }),
  };
}

const ordererName = 'orderer.zone.test';

function cryptoConfig({ orderer, organisations }: StockSpec): string {
  const peers = organisations.map(
    ({ name, peer: { host } }) =>
      `  - { Name: ${name}, Domain: ${name.toLowerCase()}.test, EnableNodeOUs: true, Template: { Count: 1, SANS: [${host}] }, Users: { Count: 1 } }\n`,
  );
  return `
OrdererOrgs:
  - { Name: Zone, Domain: zone.test, EnableNodeOUs: true, Specs: [{ Hostname: orderer, SANS: [${orderer.host}] }] }
PeerOrgs:
${peers.join('')}`;
}

const implicit = (rule: string) => `{ Type: ImplicitMeta, Rule: "${rule}" }`;
const signature = (rule: string) => `{ Type: Signature, Rule: "OR('${rule}')" }`;
const metaPolicies = [
  `Readers: ${implicit('ANY Readers')}`,
  `Writers: ${implicit('ANY Writers')}`,
  `Admins: ${implicit('MAJORITY Admins')}`,
].join(', ');

function orgPolicies(mspId: string): string {
  return [
    `Readers: ${signature(`${mspId}.member`)}`,
    `Writers: ${signature(`${mspId}.member`)}`,
    `Admins: ${signature(`${mspId}.admin`)}`,
    `Endorsement: ${signature(`${mspId}.peer`)}`,
  ].join(', ');
}

function channelConfig({ orderer, organisations, blockWaitMs }: StockSpec): string {
  const tlsCert = `crypto/ordererOrganizations/zone.test/orderers/${ordererName}/tls/server.crt`;
  const peerOrgs = organisations.map(
    ({ name, peer: { host, port }, anchor }) => `
        - Name: ${name}MSP
          ID: ${name}MSP
          MSPDir: crypto/peerOrganizations/${name.toLowerCase()}.test/msp
          Policies: { ${orgPolicies(`${name}MSP`)} }
          AnchorPeers: [${anchor ? `{ Host: ${host}, Port: ${port} }` : ''}]`,
  );
  return `
Profiles:
  Stock:
    Policies: { ${metaPolicies} }
    Capabilities: { V2_0: true }
    Orderer:
      OrdererType: etcdraft
      EtcdRaft:
        Consenters: [{ Host: ${orderer.host}, Port: ${orderer.port}, ClientTLSCert: ${tlsCert}, ServerTLSCert: ${tlsCert} }]
      BatchTimeout: ${blockWaitMs}ms
      BatchSize: { MaxMessageCount: 500, AbsoluteMaxBytes: 10 MB, PreferredMaxBytes: 2 MB }
      Policies: { ${metaPolicies}, BlockValidation: ${implicit('ANY Writers')} }
      Capabilities: { V2_0: true }
      Organizations:
        - Name: ZoneMSP
          ID: ZoneMSP
          MSPDir: crypto/ordererOrganizations/zone.test/msp
          Policies: { ${orgPolicies('ZoneMSP')} }
          OrdererEndpoints: ["${orderer.host}:${orderer.port}"]
    Application:
      Policies: { ${metaPolicies}, LifecycleEndorsement: ${implicit('MAJORITY Endorsement')}, Endorsement: ${implicit('MAJORITY Endorsement')} }
      Capabilities: { V2_5: true }
      Organizations:${peerOrgs.join('')}
`;
}
