import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { limits, serveLink, systemClock, toHex } from '#base';
import type { Clock, Fault, LinkServer, Log } from '#base';
import type { LoggedSignature } from '#custody';
import { checkKeyConfigs } from './config.ts';
import type { SignerConfig } from './config.ts';
import { openCustody } from './custody.ts';
import { checkImports } from './key-imports.ts';
import { openRecords } from './host-logs.ts';
import { KeyRecord } from './key-record.ts';
import { KeyRing } from './key-ring.ts';
import { KeyRotations } from './key-rotations.ts';
import type { ServedKey } from './served-keys.ts';
import { answerReportCall, answerSignerCall } from './signer-methods.ts';
import { TokenKeys } from './token-keys.ts';
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
 * @returns close() ends it in order: socket, sessions, module, guard. `fenced` says that another host has
 *   taken its place, and this one must end without order: what it would write is the other's.
 * @throws HSM_… of kind fatal when the host must not serve, BASE_SECRET_UNREADABLE.
 */
export async function openSignerHost(
  config: SignerConfig,
  deps: SignerHostDeps,
): Promise<{ close(): Promise<void>; readonly fenced: Promise<Fault> }> {
  checkKeyConfigs(config);
  const { log, clock = systemClock } = deps;
  await using undo = new AsyncDisposableStack();
  mkdirSync(config.stateDir, { recursive: true, mode: 0o700 });
  const { guard, logs } = undo.use(await openRecords(config, { log, clock }));
  const keyRecord = new KeyRecord(join(config.stateDir, 'keys.json'));
  let signaturesSince = (_label: string) => 0;
  const ring = new KeyRing(config.keys, keyRecord, (label) => signaturesSince(label));
  const keys = ring.served;
  if (config.custody === undefined) checkImports(ring, undefined);
  const tokens = undo.use(await openTokens(config, deps, keys));
  signaturesSince = (label) => tokens.meter.latencyOf(label).count;
  const record = (signatures: readonly LoggedSignature[]) => logs.signatures.record(signatures);
  const signer = new TokenSigner(tokens, [...keys.values()], record);
  logs.serve({ keys, signer, tokens, guard });
  // After the sockets, before the token.
  undo.defer(() => logs.finish());
  const tokenKeys = new TokenKeys(tokens, signer, [...keys.values()]);
  const rotations = new KeyRotations({ ring, tokenKeys, signer, clock });
  const canary = setInterval(() => void signer.canary(), limits.canaryEveryMs);
  undo.defer(() => clearInterval(canary));
  // What it says is heard by `fenced`, or by whoever wants a block signed.
  const look = setInterval(() => void guard.look().catch(() => {}), limits.guardLookMs);
  undo.defer(() => clearInterval(look));
  const { tokenLabel, mode, processes, sessions, ledger } = config;
  const { signatures: signatureLog } = logs;
  const state = { ring, rotations, guard, signatureLog };
  const parts = { mode, tokenLabel, keys, signer, tokens, clock, ledger, ...state };
  const onFailure = (error: unknown) => log.error({ err: error }, 'A call failed inside.');
  if (config.reportSocket !== undefined) {
    const report = (method: number) => answerReportCall(parts, method);
    undo.use<LinkServer>(await serveLink(config.reportSocket, report, onFailure));
  }
  if (config.custody !== undefined && logs.orders !== undefined) {
    undo.use(await openCustody(config.custody, parts, logs.orders, log));
  }
  const serve = (method: number, payload: Uint8Array) => answerSignerCall(parts, method, payload);
  undo.use<LinkServer>(await serveLink(config.socket, serve, onFailure));
  undo.use(keepUsage(ring, onFailure));
  void rotations.resume().catch(onFailure);
  const facts = { tokenLabel, mode, processes, sessions, keys: [...keys.keys()] };
  log.info(facts, 'The signer host serves.');
  const owned = undo.move();
  return { close: () => owned.disposeAsync(), fenced: guard.fenced };
}

/** Usage counters are on record from time to time, and at the end. */
function keepUsage(ring: KeyRing, onFailure: (error: unknown) => void): Disposable {
  const save = () => {
    try {
      ring.saveUsage();
    } catch (error) {
      onFailure(error);
    }
  };
  const timer = setInterval(save, limits.keyUsageSaveMs);
  timer.unref();
  return {
    [Symbol.dispose]: () => {
      clearInterval(timer);
      save();
    },
  };
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
  const wanted = [...keys.values()].map(({ label, origin, publicKey }) => ({
    label,
    origin,
    ...(publicKey !== undefined && { spkiHex: toHex(publicKey.spki) }),
  }));
  return { module, tokenLabel, pinFile, stateDir, sessions, keys: wanted };
}
