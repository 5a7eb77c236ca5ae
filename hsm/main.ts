/** The signer host's process: `node main.ts CONFIG.json`. Its children alone load the PKCS#11 module. */
import process from 'node:process';
import { createLog, Fault, readConfig } from '#base';
import { SignerConfig } from './config.ts';
import { openSignerHost } from './signer-host.ts';

/** What the exit status says to whoever started the process. */
const exitCodes = {
  /** Starting it again, later, may help: another host still runs. */
  lost: 1,
  /** Starting it again does not help: wrong configuration, PIN, key or record. */
  refused: 2,
} as const;

/** A token, a disk or a TPM may come back, and the guard's holder may end. */
const mayPass: ReadonlySet<string> = new Set([
  'HSM_LOGIN_FAILED',
  'HSM_GUARD_LOCKED',
  'HSM_GUARD_FENCED',
  'HSM_GUARD_FULL',
  'HSM_ANCHOR_UNREADABLE',
]);

async function main(): Promise<void> {
  const config = readConfig(SignerConfig, process.argv[2] ?? '');
  const log = createLog('signer', config.logLevel);
  const cache = process.env['NODE_COMPILE_CACHE'];
  const environment = { ...(cache !== undefined && { NODE_COMPILE_CACHE: cache }) };
  const host = await openSignerHost(config, { log, environment });
  const stop = () => {
    void host.close().then(() => process.exit(0));
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
}

try {
  await main();
} catch (error) {
  const known = error instanceof Fault ? error : undefined;
  const facts = known === undefined ? { err: error } : { code: known.code, ...known.detail };
  createLog('signer').fatal(facts, known?.message ?? 'The signer host cannot start.');
  const refused = known !== undefined && !mayPass.has(known.code);
  process.exit(refused ? exitCodes.refused : exitCodes.lost);
}
