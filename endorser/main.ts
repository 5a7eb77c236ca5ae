/** `node endorser/main.ts CONFIG.json`: one endorser until SIGTERM or SIGINT. */
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { createLog, readConfig, runMain, stopOnSignals } from '#base';
import { Block } from '#formats';
import { EndorserConfig, buildEndorser } from './index.ts';

async function main(): Promise<void> {
  const config = readConfig(EndorserConfig, process.argv[2] ?? '');
  const log = createLog(config.name, config.logLevel);
  const genesis = Block.decode(readFileSync(config.genesisFile));
  const endorser = await buildEndorser(config, { log, genesis });
  log.info({ socket: config.socket }, 'endorser is up');
  stopOnSignals(() => endorser.close());
}

await runMain('endorser', main);
