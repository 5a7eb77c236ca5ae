/** `node manager/main.ts CONFIG.json`: one manager until SIGTERM or SIGINT. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { createLog, readConfig, runMain, stopOnSignals } from '#base';
import { Block } from '#formats';
import { ManagerConfig, buildManager } from './index.ts';

async function main(): Promise<void> {
  const config = readConfig(ManagerConfig, process.argv[2] ?? '');
  const log = createLog('manager', config.logLevel);
  const genesis = Block.decode(readFileSync(config.genesisFile));
  const manager = await buildManager(config, {
    log,
    genesis,
    onFatal: (error) => {
      // What is on disk is whole; starting again recovers through the normal path.
      log.fatal({ err: error }, 'state unknown, stopping');
      process.exit(1);
    },
  });
  log.info(manager.ports, 'manager is up');
  if (config.portsFile !== undefined) {
    // Renamed into place: whoever waits for the file never reads half of it.
    writeFileSync(`${config.portsFile}.new`, JSON.stringify(manager.ports));
    renameSync(`${config.portsFile}.new`, config.portsFile);
  }
  stopOnSignals(() => manager.close());
}

await runMain('manager', main);
