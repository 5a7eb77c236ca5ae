/** `node peer/main.ts CONFIG.json`: one peer until SIGTERM or SIGINT. */
import { renameSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { createLog, readConfig, runMain } from '#base';
import type { Fault } from '#base';
import { PeerConfig, buildPeer } from './index.ts';
import { readGenesis } from './named-files.ts';

async function main(): Promise<void> {
  const config = readConfig(PeerConfig, process.argv[2] ?? '');
  const log = createLog(config.name, config.logLevel);
  const peer = await buildPeer(config, { log, genesis: readGenesis(config.genesisFile) });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => void peer.close());
  }
  log.info({ port: peer.port }, 'The peer serves.');
  if (config.portsFile !== undefined) {
    // Renamed into place: whoever waits for the file never reads half of it.
    writeFileSync(`${config.portsFile}.new`, JSON.stringify({ http: peer.port }));
    renameSync(`${config.portsFile}.new`, config.portsFile);
  }
  await peer.stopped;
}

/** A wrong configuration or genesis, or a zone that contradicts itself. */
function isHopeless({ kind, code }: Fault): boolean {
  return kind === 'malformed' || code === 'PEER_EVIDENCE_MISMATCH';
}

await runMain('peer', main, isHopeless);
process.exit(0);
