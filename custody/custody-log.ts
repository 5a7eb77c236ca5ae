import { limits, toBase64 } from '#base';
import type { Clock } from '#base';
import { AuditFile } from './audit-file.ts';
import { checkpointEvent, checkpointStatement } from './audit-record.ts';
import type { AuditRecord } from './audit-record.ts';
import { OrderHistory, orderEvents } from './order-history.ts';

/** Signs a checkpoint's statement with a key of the token. */
export type CheckpointSigner = (
  statement: Uint8Array,
) => Promise<{ readonly key: string; readonly signature: Uint8Array }>;

/**
 * The audit log of one host, and what it says of orders. After every record a checkpoint is signed,
 * as soon as the token does: from then on nobody can write that part anew.
 */
export class CustodyLog implements Disposable {
  readonly name: string;
  readonly history: OrderHistory;
  readonly #file: AuditFile;
  readonly #sign: CheckpointSigner;
  readonly #onUnsigned: (error: unknown) => void;
  #signing: Promise<void> | undefined;
  #retry: NodeJS.Timeout | undefined;
  #checkpointSequence = 0;
  #isClosed = false;

  /**
   * Opens or makes it, and goes through all of it.
   *
   * @param name of the log: see {@link auditLogName}.
   * @throws CUSTODY_AUDIT_BROKEN, CUSTODY_AUDIT_ORDER_INVALID
   */
  constructor(options: {
    path: string;
    name: string;
    token: string;
    clock: Clock;
    sign: CheckpointSigner;
    /** Hears why a checkpoint could not be signed. */
    onUnsigned?: (error: unknown) => void;
  }) {
    const { path, name, token, clock, sign, onUnsigned = () => {} } = options;
    this.name = name;
    this.#sign = sign;
    this.#onUnsigned = onUnsigned;
    this.history = new OrderHistory(token);
    const onRecord = (record: AuditRecord) => this.#take(record);
    this.#file = new AuditFile({ path, log: name, clock, onRecord });
  }

  get head(): { sequence: number; hash: string; timeMs: number } {
    return this.#file.head;
  }

  /** Records after the newest checkpoint: an alarm when it stays above 0. */
  get unsignedCount(): number {
    return this.head.sequence - this.#checkpointSequence;
  }

  /**
   * Returns when the record is on the disk. Whoever records a step takes it afterwards.
   *
   * @throws CUSTODY_CLOCK_TURNED_BACK, CUSTODY_AUDIT_FULL, CUSTODY_AUDIT_READONLY,
   *   CUSTODY_DOCUMENT_TOO_LARGE
   */
  record(event: string, facts: Readonly<Record<string, string>>, timeMs?: number): void {
    const options = timeMs === undefined ? {} : { timeMs };
    this.#take(this.#file.append(event, facts, options));
    void this.checkpoint();
  }

  /** Records what is no part of an order's own course. @throws as {@link record} */
  note(event: string, facts: Readonly<Record<string, string>>): void {
    if (reserved.has(event)) throw new TypeError(`${event} is the order desk's own`);
    this.record(event, facts);
  }

  /** Signs what is not signed yet; a token that does not sign is asked again later. */
  checkpoint(): Promise<void> {
    this.#signing ??= this.#signAll().finally(() => {
      this.#signing = undefined;
    });
    return this.#signing;
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#retry);
    this.#file.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #signAll(): Promise<void> {
    clearTimeout(this.#retry);
    try {
      while (!this.#isClosed && this.unsignedCount > 0) {
        const { sequence, hash } = this.head;
        const statement = checkpointStatement(this.name, sequence + 1, hash);
        const { key, signature } = await this.#sign(statement);
        // Records that came meanwhile are signed with the next one.
        if (this.#isClosed || this.head.sequence !== sequence) continue;
        this.#take(this.#file.append(checkpointEvent, { key, signature: toBase64(signature) }));
      }
    } catch (error) {
      if (this.#isClosed) return;
      this.#onUnsigned(error);
      this.#retry = setTimeout(() => void this.checkpoint(), limits.checkpointRetryMs);
      this.#retry.unref();
    }
  }

  #take(record: AuditRecord): void {
    this.history.apply(record);
    if (record.event === checkpointEvent) this.#checkpointSequence = record.sequence;
  }
}

const reserved: ReadonlySet<string> = new Set([...Object.values(orderEvents), checkpointEvent]);

/** Logs of two zones, or of two tokens, are never taken for each other. */
export function auditLogName(zone: string, token: string): string {
  return `${zone}/${token}`;
}
