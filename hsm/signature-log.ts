import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { GroupCommit, limits } from '#base';
import type { Clock, Fault, Submitted } from '#base';
import {
  Anchorings,
  AuditFile,
  Checkpoints,
  anchoredEvent,
  factsOfSignatures,
  segmentEvent,
  segmentPath,
  segmentsIn,
  signatureLogName,
  signaturesEvent,
} from '#custody';
import type {
  AnchoredLog,
  AuditRecord,
  CheckpointSigner,
  LogHead,
  LoggedSignature,
} from '#custody';
import { fault } from './faults.ts';

export interface SignatureLogOptions {
  /** On a local disk, one signer host's own; one file after the other. */
  readonly dir: string;
  readonly token: string;
  readonly clock: Clock;
  /** Signs without a record: a checkpoint is one itself. */
  readonly sign: CheckpointSigner;
  /** SHA-256 of a key's SubjectPublicKeyInfo, hex, by the label of its version. */
  readonly fingerprintOf: (label: string) => string;
  /** A file was full; it ends with its checkpoint. */
  readonly onRolled: () => Promise<void>;
  /** Hears what came to nothing and will be tried again. */
  readonly onDelay: (error: unknown) => void;
  /** In place of those in base/limits.ts, where a test cannot wait for them. */
  readonly bounds?: { readonly segmentBytesMax: number };
}

/**
 * Says of every signature of a token that it will be made, before it is made. What cannot be brought
 * to the disk is not signed. A record without its signature is possible, a signature without its record is not.
 */
export class SignatureLog implements AnchoredLog, Disposable {
  readonly name: string;
  readonly #options: SignatureLogOptions;
  readonly #commits = new GroupCommit<readonly LoggedSignature[]>(
    limits.signatureGroupMax,
    (group) => this.#commit(group),
  );
  readonly #checkpoints: Checkpoints;
  readonly #anchorings = new Anchorings();
  readonly #fingerprints = new Map<string, string>();
  /** Labels whose fingerprint the present file has. */
  readonly #named = new Set<string>();
  /** Number of the newest file, and where it ends. */
  #segment = 0;
  #head: LogHead | undefined;
  #file: AuditFile | undefined;
  #waitingCount = 0;
  #isRolling = false;
  #isFinishing = false;

  /**
   * Reads where the log ended; writes nothing until {@link begin}.
   *
   * @throws CUSTODY_AUDIT_BROKEN
   */
  constructor(options: SignatureLogOptions) {
    this.#options = options;
    this.name = signatureLogName(options.token);
    this.#checkpoints = new Checkpoints({
      log: this.name,
      head: () => this.#openFile().head,
      append: (event, facts) => this.#appendCheckpoint(event, facts),
      sign: options.sign,
      delayMs: limits.signatureCheckpointMs,
      onUnsigned: options.onDelay,
    });
    mkdirSync(options.dir, { recursive: true, mode: 0o700 });
    this.#readNewest();
  }

  /** Why nothing is signed any more. */
  get failure(): Fault | undefined {
    return this.#file?.failure;
  }

  /** For how long there have been records that no checkpoint covers. */
  get unsignedMs(): number {
    return this.#checkpoints.unsignedMs;
  }

  /**
   * Goes on in a file of its own, so that a host that was succeeded finds out.
   *
   * @throws CUSTODY_AUDIT_FULL, CUSTODY_AUDIT_BROKEN, CUSTODY_AUDIT_READONLY
   */
  begin(): void {
    this.#openSegment();
  }

  /**
   * Returns when all are on the disk; only then they may be made.
   *
   * @throws CUSTODY_AUDIT_FULL, HSM_SESSION_BUSY nothing may be signed now; CUSTODY_AUDIT_READONLY,
   *   HSM_GUARD_FENCED from now on.
   */
  async record(signatures: readonly LoggedSignature[]): Promise<void> {
    for (const { label } of signatures) {
      if (this.#fingerprints.has(label)) continue;
      this.#fingerprints.set(label, this.#options.fingerprintOf(label));
    }
    if (this.#waitingCount + signatures.length > limits.signQueueDepthMax) {
      throw fault('HSM_SESSION_BUSY');
    }
    this.#waitingCount += signatures.length;
    try {
      await this.#commits.submit(signatures);
    } finally {
      this.#waitingCount -= signatures.length;
    }
  }

  anchoredAt(counter: string): bigint {
    return this.#anchorings.newestOf(counter);
  }

  anchor(counter: string, count: bigint): void {
    this.#demandNewest();
    this.#append(anchoredEvent, { counter, count: String(count) }, true);
    this.#checkpoints.soon();
  }

  /** Has all that is there covered by a checkpoint, if the token signs. */
  async finish(): Promise<void> {
    this.#isFinishing = true;
    await this.#commits.alone(() => this.#signAll());
  }

  close(): void {
    this.#checkpoints.close();
    this.#file?.close();
    this.#file = undefined;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #readNewest(): void {
    const { dir, clock } = this.#options;
    for (;;) {
      const newest = segmentsIn(dir).at(-1);
      if (newest === undefined) return;
      const onRecord = (record: AuditRecord) => this.#take(record);
      const { path } = newest;
      const named = { path, log: this.name, clock, aheadBytes };
      using file = new AuditFile({ ...named, onRecord, after: 'unknown' });
      if (file.head.sequence > 0) {
        this.#head = file.head;
        this.#segment = newest.number;
        return;
      }
      // A crash came before its first record: nothing was signed on it.
      rmSync(path);
    }
  }

  #openSegment(): void {
    const { dir, clock } = this.#options;
    const number = this.#segment + 1;
    const path = segmentPath(dir, number);
    const after = this.#file?.head ?? this.#head;
    const named = { path, log: this.name, clock, aheadBytes };
    const file = new AuditFile({ ...named, ...(after && { after }) });
    const before = this.#file;
    this.#file = file;
    try {
      const facts = { segment: String(number), ...this.#anchorings.facts };
      this.#append(segmentEvent, facts, true);
    } catch (error) {
      this.#file = before;
      file.close();
      rmSync(path);
      throw error;
    }
    before?.close();
    this.#segment = number;
    this.#named.clear();
  }

  async #commit(group: readonly Submitted<readonly LoggedSignature[]>[]): Promise<void> {
    try {
      this.#demandNewest();
      const signatures = group.flatMap(({ item }) => item);
      for (let at = 0; at < signatures.length; at += limits.signaturesPerRecordMax) {
        this.#appendSignatures(signatures.slice(at, at + limits.signaturesPerRecordMax));
      }
      await this.#openFile().sync();
    } catch (error) {
      for (const { reject } of group) reject(error);
      return;
    }
    for (const { resolve } of group) resolve();
    this.#checkpoints.soon();
  }

  #appendSignatures(signatures: readonly LoggedSignature[]): void {
    const fresh = new Map<string, string>();
    for (const { label } of signatures) {
      if (this.#named.has(label)) continue;
      this.#named.add(label);
      fresh.set(label, this.#fingerprints.get(label) as string);
    }
    try {
      this.#append(signaturesEvent, factsOfSignatures(signatures, fresh), false);
    } catch (error) {
      for (const label of fresh.keys()) this.#named.delete(label);
      throw error;
    }
  }

  /** A host that was stopped for a while, and succeeded, writes and signs no more. */
  #demandNewest(): void {
    const next = segmentPath(this.#options.dir, this.#segment + 1);
    if (existsSync(next)) throw this.#openFile().fail(fault('HSM_GUARD_FENCED', { file: next }));
  }

  #appendCheckpoint(event: string, facts: Readonly<Record<string, string>>): AuditRecord {
    this.#demandNewest();
    const record = this.#append(event, facts, false);
    const bytesMax = this.#options.bounds?.segmentBytesMax ?? limits.signatureSegmentBytesMax;
    if (this.#openFile().bytes >= bytesMax) void this.#roll();
    return record;
  }

  async #roll(): Promise<void> {
    if (this.#isRolling || this.#isFinishing) return;
    this.#isRolling = true;
    try {
      const hasRolled = await this.#commits.alone(async () => {
        if (this.#isFinishing) return false;
        await this.#signAll();
        // A file ends with its checkpoint; without the token nothing is signed either.
        if (this.#checkpoints.unsignedCount > 0 || this.#isFinishing) return false;
        this.#demandNewest();
        await this.#openFile().sync();
        this.#openSegment();
        return true;
      });
      if (hasRolled) await this.#options.onRolled();
    } catch (error) {
      // The file at hand goes on to be written to; the next checkpoint tries again.
      this.#options.onDelay(error);
    } finally {
      this.#isRolling = false;
    }
  }

  /** Twice: the first one may be under way, and cover less. */
  async #signAll(): Promise<void> {
    await this.#checkpoints.sign();
    await this.#checkpoints.sign();
  }

  #append(event: string, facts: Record<string, string>, durable: boolean): AuditRecord {
    const file = this.#openFile();
    // Nothing is decided by these times, and a clock that was turned back must not end all signing.
    const timeMs = Math.max(this.#options.clock.nowMs(), file.head.timeMs);
    const record = file.append(event, facts, { durable, timeMs });
    this.#take(record);
    return record;
  }

  #take(record: AuditRecord): void {
    this.#anchorings.take(record);
    this.#checkpoints.take(record);
  }

  #openFile(): AuditFile {
    if (this.#file === undefined) throw new TypeError('the log has not begun, or is closed');
    return this.#file;
  }
}

const aheadBytes = limits.signatureLogAheadBytes;
