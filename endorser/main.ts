import { readFileSync } from 'node:fs';
import { createLog, readConfig } from '#base';
import { Block } from '#formats';
import { EndorserConfig, buildEndorser } from './index.ts';

/** `node endorser/main.ts CONFIG.json`: one endorser until SIGTERM or SIGINT. */
const config = readConfig(EndorserConfig, process.argv[2] ?? '');
const log = createLog(config.name, config.logLevel);
const genesis = Block.decode(readFileSync(config.genesisFile));
const endorser = await buildEndorser(config, { log, genesis });
log.info({ socket: config.socket }, 'endorser is up');

let stopping = false;
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    if (stopping) return;
    stopping = true;
    void endorser.close().then(() => process.exit(0));
  });
}
