import { mkdirSync } from 'node:fs';
import { readSecret, serveLink } from '#base';
import type { Fault, LinkServer, Log } from '#base';
import { BlockGuard } from './block-guard.ts';
import { checkKeyConfigs } from './config.ts';
import type { SignerConfig } from './config.ts';
import { openPinRecord } from './pin-record.ts';
import { openModule } from './pkcs11-module.ts';
import type { Pkcs11 } from './pkcs11-module.ts';
import { openToken } from './pkcs11-token.ts';
import type { Token } from './pkcs11-token.ts';
import { readServedKey } from './served-keys.ts';
import type { ServedKey } from './served-keys.ts';
import { openOwnSession, openWorkerSessions } from './session-pool.ts';
import type { SessionPool } from './session-pool.ts';
import { answerSignerCall } from './signer-methods.ts';
import { TokenSigner } from './token-signer.ts';

export interface SignerHostDeps {
  readonly log: Log;
  /** The host can't go on in this process; it must end, and be started anew. */
  readonly onLost: (reason: Fault) => void;
  /** A native call does not return: only killing the process helps. */
  readonly onHang: () => void;
}

/**
 * Starts a signer host: loads the module, logs in, finds and proves the keys, serves the socket.
 *
 * @returns close() ends it in order: socket, sessions, module, guard.
 * @throws HSM_… of kind fatal when the host must not serve, BASE_SECRET_UNREADABLE.
 */
export async function openSignerHost(
  config: SignerConfig,
  deps: SignerHostDeps,
): Promise<{ close(): Promise<void> }> {
  checkKeyConfigs(config);
  await using undo = new AsyncDisposableStack();
  mkdirSync(config.stateDir, { recursive: true, mode: 0o700 });
  const guard = undo.use(await BlockGuard.open(config.stateDir));
  const keys = new Map(config.keys.map((key) => [key.label, readServedKey(key)]));
  const pkcs11 = undo.adopt(openModule(config.module), (module) => module.C_Finalize());
  const token = login(config, pkcs11);
  const pool = undo.adopt(openPool(config, deps, token), (sessions) => sessions.close());
  const signer = await openSigner(config, deps, token, pool, keys);
  const parts = { mode: config.mode, keys, signer, guard };
  const serve = (method: number, payload: Uint8Array) => answerSignerCall(parts, method, payload);
  const onFailure = (error: unknown) => deps.log.error({ err: error }, 'A call failed inside.');
  undo.use<LinkServer>(await serveLink(config.socket, serve, onFailure));
  const { tokenLabel, mode, sessions } = config;
  deps.log.info({ tokenLabel, mode, sessions, keys: [...keys.keys()] }, 'The signer host serves.');
  const owned = undo.move();
  return { close: () => owned.disposeAsync() };
}

function login(config: SignerConfig, pkcs11: Pkcs11): Token {
  const record = openPinRecord(config.stateDir);
  return openToken(pkcs11, config.tokenLabel, readSecret(config.pinFile), record);
}

function openPool(config: SignerConfig, deps: SignerHostDeps, token: Token): SessionPool {
  if (config.sessions === 1) return openOwnSession(token.pkcs11, token.slot);
  const { module, sessions } = config;
  return openWorkerSessions({ module, sessions, slot: token.slot, onHang: deps.onHang });
}

function openSigner(
  config: SignerConfig,
  deps: SignerHostDeps,
  token: Token,
  pool: SessionPool,
  keys: ReadonlyMap<string, ServedKey>,
): Promise<TokenSigner> {
  return TokenSigner.open({
    token,
    pool,
    keys: [...keys.values()],
    readPin: () => readSecret(config.pinFile),
    onLost: deps.onLost,
  });
}
