/** The signer host's process: `node main.ts CONFIG.json`. It alone loads the PKCS#11 module. */
import process from 'node:process';
import { createLog, Fault, readConfig } from '#base';
import { SignerConfig } from './config.ts';
import { openSignerHost } from './signer-host.ts';

/** What the exit status says to whoever started the process. */
const exitCodes = {
  /** Starting it again, later, may help: the token is not there, or another host still runs. */
  lost: 1,
  /** Starting it again does not help: wrong configuration, PIN, key or record. */
  refused: 2,
} as const;

const mayPass: ReadonlySet<string> = new Set([
  'HSM_TOKEN_ABSENT',
  'HSM_TOKEN_LOST',
  'HSM_LOGIN_FAILED',
  'HSM_SIGN_FAILED',
  'HSM_GUARD_LOCKED',
]);

async function main(): Promise<void> {
  const config = readConfig(SignerConfig, process.argv[2] ?? '');
  // The module reads it from the environment, and only when it is loaded.
  if (config.softhsmConfig !== undefined) process.env['SOFTHSM2_CONF'] = config.softhsmConfig;
  const log = createLog('signer', config.logLevel);
  let lost = false;
  const host = await openSignerHost(config, {
    log,
    onLost: (reason) => {
      if (lost) return;
      lost = true;
      log.fatal({ code: reason.code, ...reason.detail }, reason.message);
      // Callers hear their fault first; the module is in no state to be finalised.
      setTimeout(() => process.exit(exitCodes.lost), 20);
    },
    onHang: () => {
      log.fatal({ code: 'HSM_TOKEN_LOST' }, 'A call into the PKCS#11 module does not return.');
      process.kill(process.pid, 'SIGKILL');
    },
  });
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
