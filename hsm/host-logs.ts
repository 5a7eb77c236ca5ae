import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { limits } from '#base';
import type { Clock, Log } from '#base';
import { CustodyLog, PolicyFile, auditLogName } from '#custody';
import type { AnchoredLog, CheckpointSigner } from '#custody';
import type { SignerRole } from '#formats';
import { BlockGuard } from './block-guard.ts';
import type { SignerConfig } from './config.ts';
import { fault } from './faults.ts';
import { LogAnchor } from './log-anchor.ts';
import type { ServedKey } from './served-keys.ts';
import { SignatureLog } from './signature-log.ts';
import type { TokenSigner } from './token-signer.ts';
import type { TokenSupervisor } from './token-supervisor.ts';
import { TpmAnchor } from './tpm-anchor.ts';

/** Which of the host's keys signs the checkpoints, by its role: the one that signs least else. */
const checkpointRoles: readonly SignerRole[] = ['attestation', 'ordering', 'relay', 'node'];

/** What operators ordered of a host, and under which policy. */
export interface OrderRecord {
  readonly log: CustodyLog;
  readonly policyFile: PolicyFile;
}

interface HostLogsDeps {
  readonly log: Log;
  readonly clock: Clock;
}

/** What signs the checkpoints; it is opened after the logs are. */
interface Signing {
  readonly keys: ReadonlyMap<string, ServedKey>;
  readonly signer: TokenSigner;
  readonly tokens: TokenSupervisor;
  readonly guard: BlockGuard;
}

/** The logs of a host: of its signatures, and of its orders if it takes any. */
export class HostLogs implements Disposable {
  readonly signatures: SignatureLog;
  readonly orders: OrderRecord | undefined;
  readonly #owned: DisposableStack;
  readonly #report: Log;
  readonly #served = Promise.withResolvers<Signing>();
  #signing: Signing | undefined;
  /** When the counter was last raised for the logs; a start raises it. */
  #anchoredMs = performance.now();

  /**
   * Reads where they ended; nothing is written.
   *
   * @throws CUSTODY_AUDIT_…, CUSTODY_POLICY_…
   */
  constructor(config: SignerConfig, { log, clock }: HostLogsDeps) {
    using undo = new DisposableStack();
    this.#report = log;
    const { stateDir, custody, tokenLabel: token } = config;
    this.signatures = undo.use(
      new SignatureLog({
        dir: join(stateDir, 'signatures'),
        token,
        clock,
        // Once it is signed, a checkpoint is a record of that log itself.
        sign: this.#signer((signer, key, content) => signer.signCheckpoint(key, content)),
        fingerprintOf: (label) => this.#demandSigning().signer.publicKeyOf(label).fingerprint,
        onRolled: () => this.#anchorRolled(),
        onDelay: (error) => this.#delayed(error),
      }),
    );
    this.orders = custody && this.#openOrders(undo, custody, { token, clock });
    this.#owned = undo.move();
  }

  get all(): readonly AnchoredLog[] {
    return this.orders === undefined ? [this.signatures] : [this.signatures, this.orders.log];
  }

  /** From now on checkpoints can be signed. */
  serve(signing: Signing): void {
    this.#signing = signing;
    this.#served.resolve(signing);
  }

  /** Has both end with a checkpoint, and their ends known to the anchor. Nothing else is signed any more. */
  async finish(): Promise<void> {
    try {
      await this.#demandSigning().guard.renew();
    } catch (error) {
      this.#delayed(error);
    }
    await this.orders?.log.checkpoint();
    await this.signatures.finish();
  }

  [Symbol.dispose](): void {
    this.#owned.dispose();
  }

  #openOrders(
    undo: DisposableStack,
    { auditDir, operatorPolicyFile }: NonNullable<SignerConfig['custody']>,
    { token, clock }: { token: string; clock: Clock },
  ): OrderRecord {
    mkdirSync(auditDir, { recursive: true, mode: 0o700 });
    const policyFile = new PolicyFile(operatorPolicyFile);
    const log = new CustodyLog({
      path: join(auditDir, 'audit.jsonl'),
      name: auditLogName(policyFile.read().zone, token),
      token,
      clock,
      sign: this.#signer((signer, key, content) => signer.signOne(key, 'checkpoint', content)),
      onUnsigned: (error) => this.#delayed(error),
    });
    return { log: undo.use(log), policyFile };
  }

  /** Statements start with a name of their own, which no content that these keys sign does. */
  #signer(
    sign: (signer: TokenSigner, keyLabel: string, content: Uint8Array) => Promise<Uint8Array>,
  ): CheckpointSigner {
    return async (content) => {
      const { keys, signer } = await this.#served.promise;
      // Looked for each time, the newest version last: keys are rotated while the host runs.
      const all = [...keys.values()].toReversed();
      const [found] = checkpointRoles.flatMap((role) => all.filter((one) => one.role === role));
      const key = found?.label ?? '';
      return { key, signature: await sign(signer, key, content) };
    };
  }

  /** Under load files are full within minutes, and a TPM's counter wears out. */
  async #anchorRolled(): Promise<void> {
    if (performance.now() - this.#anchoredMs < limits.anchorEveryMsMin) return;
    this.#anchoredMs = performance.now();
    await this.#demandSigning().guard.renew();
  }

  #delayed(error: unknown): void {
    this.#signing?.tokens.meter.count('checkpointsDelayed');
    this.#report.warn({ err: error }, 'A checkpoint of a log waits for the token or the TPM.');
  }

  #demandSigning(): Signing {
    if (this.#signing === undefined) throw fault('HSM_TOKEN_LOST');
    return this.#signing;
  }
}

/** The guard and the logs of a host, as they are tied to one another. */
export interface HostRecords extends AsyncDisposable {
  readonly guard: BlockGuard;
  readonly logs: HostLogs;
}

/**
 * Opens what a host keeps on its disk of what it does.
 *
 * @throws HSM_GUARD_…, CUSTODY_…; HSM_LOG_ROLLED_BACK a log is older than the anchor.
 */
export async function openRecords(config: SignerConfig, deps: HostLogsDeps): Promise<HostRecords> {
  await using undo = new AsyncDisposableStack();
  let opened = undefined as HostLogs | undefined;
  const tpm = config.anchor && new TpmAnchor(config.anchor);
  const anchor = tpm && new LogAnchor(tpm, () => opened?.all ?? []);
  const guard = await BlockGuard.open(config.stateDir, {
    anchor,
    whenHeld: async () => {
      opened = undo.use(new HostLogs(config, deps));
      // Before anything is written: what is there has to be all that ever was.
      await anchor?.check();
      opened.signatures.begin();
    },
  });
  undo.use(guard);
  const owned = undo.move();
  const logs = opened as HostLogs;
  return { guard, logs, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
