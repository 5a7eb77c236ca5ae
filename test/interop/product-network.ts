import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { identityNames } from '#cli';
import type { TestNetwork } from '../support/test-network.ts';
import { fabricBinaries } from './fabric-binaries.ts';
import { writeMspDir } from './msp-dir.ts';
import { OurPeer } from './our-peer.ts';
import { startStockPeer } from './stock-peer.ts';
import type { StockPeer } from './stock-peer.ts';
import type { FabricVersion } from './versions.ts';

const orgName = 'org1';
const mspId = 'Org1MSP';

/**
 * Joins a stock peer to a running network: from the network's own genesis block, with what the
 * organisation gives to whoever runs a peer of it, and no key that could endorse.
 *
 * @param dir becomes the peer's.
 */
export async function joinStockPeer(
  t: { teardown(end: () => unknown): unknown },
  { network: { layout, spec } }: TestNetwork,
  version: FabricVersion,
  dir: string,
): Promise<StockPeer> {
  const authority = (name: string) => readFileSync(join(layout.ca(orgName), `${name}.pem`), 'utf8');
  const mspDir = (name: string) => {
    const { certificateFile, keyFile } = layout.identity(name);
    return writeMspDir(join(dir, name), {
      caCerts: [authority('ca')],
      tlsCaCerts: [authority('tlsca')],
      signCert: readFileSync(certificateFile, 'utf8'),
      key: readFileSync(keyFile, 'utf8'),
    });
  };
  const transport = identityNames.transport(orgName);
  const tls = layout.tls(transport);
  return startStockPeer(t, {
    binaries: await fabricBinaries(version),
    dir: join(dir, 'peer'),
    channel: spec.channel,
    genesisBlockFile: layout.genesisFile,
    mspId,
    mspDir: await mspDir(transport),
    adminMspDir: await mspDir(identityNames.admin(orgName)),
    tls: {
      cert: readFileSync(tls.certificateFile, 'utf8'),
      key: readFileSync(tls.keyFile, 'utf8'),
      root: readFileSync(tls.caFile, 'utf8'),
    },
  });
}

/** The countersign peers of a running network. */
export function ourPeers({ network: { layout, spec } }: TestNetwork): OurPeer[] {
  return Array.from({ length: spec.peerCount }, (_none, index) => {
    const name = `peer-${index + 1}`;
    const ports = JSON.parse(readFileSync(layout.peerPortsFile(name), 'utf8')) as { http: number };
    return new OurPeer(ports.http, name);
  });
}
