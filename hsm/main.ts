/** The signer host's process: `node main.ts CONFIG.json`. Its children alone load the PKCS#11 module. */
import process from 'node:process';
import { createLog, readConfig, runMain, stopOnSignals } from '#base';
import { SignerConfig } from './config.ts';
import { openSignerHost } from './signer-host.ts';

/** A token, a disk or a TPM may come back, and the guard's holder may end. */
const mayPass: ReadonlySet<string> = new Set([
  'HSM_LOGIN_FAILED',
  'HSM_GUARD_LOCKED',
  'HSM_GUARD_FENCED',
  'HSM_GUARD_FULL',
  'HSM_ANCHOR_UNREADABLE',
  'CUSTODY_AUDIT_FULL',
]);

async function main(): Promise<void> {
  const config = readConfig(SignerConfig, process.argv[2] ?? '');
  const log = createLog('signer', config.logLevel);
  const cache = process.env['NODE_COMPILE_CACHE'];
  const environment = { ...(cache !== undefined && { NODE_COMPILE_CACHE: cache }) };
  const host = await openSignerHost(config, { log, environment });
  stopOnSignals(() => host.close());
  throw await host.fenced;
}

await runMain('signer', main, ({ code }) => !mayPass.has(code));
