import type { Clock } from '#base';
import { Anchorings, anchoredEvent } from './anchorings.ts';
import type { AnchoredLog } from './anchorings.ts';
import { AuditFile } from './audit-file.ts';
import { checkpointEvent } from './audit-record.ts';
import type { AuditRecord, LogHead } from './audit-record.ts';
import { Checkpoints } from './checkpoints.ts';
import type { CheckpointSigner } from './checkpoints.ts';
import { OrderHistory, orderEvents } from './order-history.ts';

/**
 * The audit log of one host, and what it says of orders. After every record a checkpoint is signed,
 * as soon as the token does: from then on nobody can write that part anew.
 */
export class CustodyLog implements AnchoredLog, Disposable {
  readonly name: string;
  readonly history: OrderHistory;
  readonly #file: AuditFile;
  readonly #checkpoints: Checkpoints;
  readonly #anchorings = new Anchorings();

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
    this.history = new OrderHistory(token);
    this.#checkpoints = new Checkpoints({
      log: name,
      head: () => this.head,
      append: (event, facts) => {
        const record = this.#file.append(event, facts);
        this.history.apply(record);
        return record;
      },
      sign,
      delayMs: 0,
      onUnsigned,
    });
    const onRecord = (record: AuditRecord) => this.#take(record);
    this.#file = new AuditFile({ path, log: name, clock, onRecord });
  }

  get head(): LogHead {
    return this.#file.head;
  }

  /** Records after the newest checkpoint: an alarm when it stays above 0. */
  get unsignedCount(): number {
    return this.#checkpoints.unsignedCount;
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
    this.#checkpoints.soon();
  }

  /** Records what is no part of an order's own course. @throws as {@link record} */
  note(event: string, facts: Readonly<Record<string, string>>): void {
    if (reserved.has(event)) throw new TypeError(`${event} is the order desk's own`);
    this.record(event, facts);
  }

  anchoredAt(counter: string): bigint {
    return this.#anchorings.newestOf(counter);
  }

  anchor(counter: string, count: bigint): void {
    this.note(anchoredEvent, { counter, count: String(count) });
  }

  /** Signs what is not signed yet; a token that does not sign is asked again later. */
  checkpoint(): Promise<void> {
    return this.#checkpoints.sign();
  }

  close(): void {
    this.#checkpoints.close();
    this.#file.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #take(record: AuditRecord): void {
    this.history.apply(record);
    this.#anchorings.take(record);
    this.#checkpoints.take(record);
  }
}

const reserved: ReadonlySet<string> = new Set([...Object.values(orderEvents), checkpointEvent]);

/** Logs of two zones, or of two tokens, are never taken for each other. */
export function auditLogName(zone: string, token: string): string {
  return `${zone}/${token}`;
}
