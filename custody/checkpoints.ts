import { limits, toBase64 } from '#base';
import { checkpointEvent, checkpointStatement, coveredBy } from './audit-record.ts';
import type { AuditRecord, LogHead } from './audit-record.ts';

/** Signs a checkpoint's statement with a key of the token. */
export type CheckpointSigner = (
  statement: Uint8Array,
) => Promise<{ readonly key: string; readonly signature: Uint8Array }>;

export interface CheckpointsOptions {
  /** The log's name. */
  readonly log: string;
  readonly head: () => LogHead;
  /** Puts a checkpoint on record. */
  readonly append: (event: string, facts: Readonly<Record<string, string>>) => AuditRecord;
  readonly sign: CheckpointSigner;
  /** A record is signed so soon after it was written; 0: at once. */
  readonly delayMs: number;
  /** Hears why a checkpoint could not be signed. */
  readonly onUnsigned: (error: unknown) => void;
}

/** Has the chain of a log signed from time to time: from then on nobody can write that part anew. */
export class Checkpoints {
  readonly #options: CheckpointsOptions;
  /** Newest record that is no checkpoint. */
  #newest = 0;
  #covered = 0;
  /** Time of the process's clock since which there is something unsigned. */
  #unsignedSinceMs = 0;
  #signing: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: CheckpointsOptions) {
    this.#options = options;
  }

  /** Takes note of every record there is, oldest first. */
  take(record: AuditRecord): void {
    const isCheckpoint = record.event === checkpointEvent;
    // What came after what it covers is younger than the checkpoint's statement.
    if (isCheckpoint || this.unsignedCount === 0) this.#unsignedSinceMs = performance.now();
    if (isCheckpoint) this.#covered = coveredBy(record);
    else this.#newest = record.sequence;
  }

  /** Records after the newest one that is signed: an alarm when it stays above 0. */
  get unsignedCount(): number {
    return Math.max(0, this.#newest - this.#covered);
  }

  /** For how long, at most, there has been something that is not signed. */
  get unsignedMs(): number {
    return this.unsignedCount === 0 ? 0 : performance.now() - this.#unsignedSinceMs;
  }

  /** Has what is there signed when its time has come. */
  soon(): void {
    const { delayMs } = this.#options;
    if (delayMs === 0) void this.sign();
    else this.#within(delayMs);
  }

  /** Signs what is not signed yet; a token that does not sign is asked again later. */
  sign(): Promise<void> {
    this.#signing ??= this.#signAll().finally(() => {
      this.#signing = undefined;
    });
    return this.#signing;
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  #within(ms: number): void {
    if (this.#isClosed || this.unsignedCount === 0) return;
    this.#timer ??= setTimeout(() => void this.sign(), ms).unref();
  }

  async #signAll(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const { delayMs, onUnsigned } = this.#options;
    try {
      while (!this.#isClosed && this.unsignedCount > 0) {
        await this.#signOnce();
        // Under load there is always something new: it has its own time.
        if (delayMs > 0) return this.#within(delayMs);
      }
    } catch (error) {
      if (this.#isClosed) return;
      onUnsigned(error);
      this.#within(limits.checkpointRetryMs);
    }
  }

  async #signOnce(): Promise<void> {
    const { log, head, append, sign } = this.#options;
    const { sequence, hash } = head();
    const { key, signature } = await sign(checkpointStatement(log, sequence + 1, hash));
    if (this.#isClosed) return;
    const facts = { key, signature: toBase64(signature), covers: String(sequence) };
    this.take(append(checkpointEvent, facts));
  }
}
