/** `node peer/main.ts CONFIG.json`: one peer until SIGTERM or SIGINT. */
import { renameSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { Fault, createLog, readConfig } from '#base';
import { PeerConfig, buildPeer } from './index.ts';
import { readGenesis } from './named-files.ts';

/** What the exit status says to whoever started the process. */
const exitCodes = {
  /** Starting it again may help: recovery is the normal start. */
  lost: 1,
  /** Starting it again does not help: wrong configuration or genesis, or a zone that contradicts itself. */
  refused: 2,
} as const;

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

function exitCodeOf(error: unknown): number {
  if (!(error instanceof Fault)) return exitCodes.lost;
  const isHopeless = error.kind === 'malformed' || error.code === 'PEER_EVIDENCE_MISMATCH';
  return isHopeless ? exitCodes.refused : exitCodes.lost;
}

try {
  await main();
  process.exit(0);
} catch (error) {
  const known = error instanceof Fault ? error : undefined;
  const facts = known === undefined ? { err: error } : { code: known.code, ...known.detail };
  createLog('peer').fatal(facts, known?.message ?? 'The peer failed inside.');
  process.exit(exitCodeOf(error));
}
