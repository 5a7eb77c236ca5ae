import { mkdirSync } from 'node:fs';
import { limits, serveLink, systemClock, toHex } from '#base';
import type { Clock, LinkServer, Log } from '#base';
import { BlockGuard } from './block-guard.ts';
import { TpmAnchor } from './tpm-anchor.ts';
import { checkKeyConfigs } from './config.ts';
import type { SignerConfig } from './config.ts';
import { openCustody } from './custody.ts';
import { readServedKey } from './served-keys.ts';
import type { ServedKey } from './served-keys.ts';
import { answerReportCall, answerSignerCall } from './signer-methods.ts';
import { TokenSigner } from './token-signer.ts';
import { TokenSupervisor } from './token-supervisor.ts';
import type { TokenPlace } from './token-wire.ts';

export interface SignerHostDeps {
  readonly log: Log;
  readonly clock?: Clock;
  /** What the token's processes get of an environment beside what the module reads. */
  readonly environment?: Readonly<Record<string, string>>;
}

/**
 * Starts a signer host: the guard, the processes that hold the token, the socket. A token that is
 * away is waited for: the socket is served, and calls are refused until it is back.
 *
 * @returns close() ends it in order: socket, sessions, module, guard.
 * @throws HSM_… of kind fatal when the host must not serve, BASE_SECRET_UNREADABLE.
 */
export async function openSignerHost(
  config: SignerConfig,
  deps: SignerHostDeps,
): Promise<{ close(): Promise<void> }> {
  checkKeyConfigs(config);
  const { log, clock = systemClock } = deps;
  await using undo = new AsyncDisposableStack();
  mkdirSync(config.stateDir, { recursive: true, mode: 0o700 });
  const guard = undo.use(await BlockGuard.open(config.stateDir, { anchor: anchorOf(config) }));
  const keys = new Map(config.keys.map((key) => [key.label, readServedKey(key)]));
  const tokens = undo.use(await openTokens(config, deps, keys));
  const signer = new TokenSigner(tokens, [...keys.values()]);
  const canary = setInterval(() => void signer.canary(), limits.canaryEveryMs);
  undo.defer(() => clearInterval(canary));
  const { tokenLabel, mode, processes, sessions } = config;
  const parts = { mode, tokenLabel, keys, signer, tokens, guard, clock };
  const onFailure = (error: unknown) => log.error({ err: error }, 'A call failed inside.');
  if (config.reportSocket !== undefined) {
    const report = (method: number) => answerReportCall(parts, method);
    undo.use<LinkServer>(await serveLink(config.reportSocket, report, onFailure));
  }
  if (config.custody !== undefined) undo.use(await openCustody(config.custody, parts, onFailure));
  const serve = (method: number, payload: Uint8Array) => answerSignerCall(parts, method, payload);
  undo.use<LinkServer>(await serveLink(config.socket, serve, onFailure));
  const facts = { tokenLabel, mode, processes, sessions, keys: [...keys.keys()] };
  log.info(facts, 'The signer host serves.');
  const owned = undo.move();
  return { close: () => owned.disposeAsync() };
}

function openTokens(
  config: SignerConfig,
  deps: SignerHostDeps,
  keys: ReadonlyMap<string, ServedKey>,
): Promise<TokenSupervisor> {
  const { softhsmConfig, moduleEnvironment, processes } = config;
  const environment = {
    ...deps.environment,
    ...(softhsmConfig !== undefined && { SOFTHSM2_CONF: softhsmConfig }),
    ...moduleEnvironment,
  };
  return TokenSupervisor.open({
    place: placeOf(config, keys),
    processes,
    environment,
    log: deps.log,
  });
}

function placeOf(config: SignerConfig, keys: ReadonlyMap<string, ServedKey>): TokenPlace {
  const { module, tokenLabel, pinFile, stateDir, sessions } = config;
  const wanted = [...keys.values()].map(({ label, publicKey }) => ({
    label,
    ...(publicKey !== undefined && { spkiHex: toHex(publicKey.spki) }),
  }));
  return { module, tokenLabel, pinFile, stateDir, sessions, keys: wanted };
}

function anchorOf({ anchor }: SignerConfig): TpmAnchor | undefined {
  return anchor === undefined ? undefined : new TpmAnchor(anchor);
}
