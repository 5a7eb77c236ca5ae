/** Files and configuration of a peer in a directory of its own. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Block } from '#formats';
import type { PeerConfig } from '#peer';
import type { TestChain } from './test-chain.ts';

export interface PeerPlace extends Disposable {
  dir: string;
  config: PeerConfig;
  /** The configuration as a file. */
  configFile: string;
}

/** @param deliver port of the source of blocks, and the PEM root of its TLS certificate. */
export function peerPlace(
  chain: TestChain,
  deliver: { port: number; root: string },
  changes: Partial<PeerConfig> = {},
): PeerPlace {
  const dir = mkdtempSync(join(tmpdir(), 'peer-'));
  const file = (name: string, content: string | Uint8Array) => {
    writeFileSync(join(dir, name), content);
    return join(dir, name);
  };
  const [org] = chain.network.orgs;
  if (org === undefined) throw new Error('a chain without organisations');
  const config: PeerConfig = {
    name: 'peer-1',
    ledgerDir: join(dir, 'ledger'),
    genesisFile: file('genesis.block', Block.encode(chain.genesis)),
    deliver: { host: 'localhost', port: deliver.port, caFile: file('ca.pem', deliver.root) },
    identity: {
      mspid: org.mspid,
      certificateFile: file('cert.pem', org.client.pem),
      keyFile: file('key.pem', org.client.keyPem),
    },
    http: { host: '127.0.0.1', port: 0 },
    portsFile: join(dir, 'ports.json'),
    logLevel: 'warn',
    ...changes,
  };
  return {
    dir,
    config,
    configFile: file('config.json', JSON.stringify(config)),
    [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }),
  };
}
