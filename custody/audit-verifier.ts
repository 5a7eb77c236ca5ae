import { fromBase64 } from '#base';
import { verifyFabric } from '#crypto';
import type { PublicKey } from '#crypto';
import {
  auditStart,
  checkpointEvent,
  checkpointStatement,
  parseAuditLine,
} from './audit-record.ts';
import type { AuditRecord } from './audit-record.ts';
import { fault } from './faults.ts';

/** What a log that holds together says of itself. */
export interface AuditReport {
  readonly records: number;
  readonly lastHash: string;
  readonly lastTimeMs: number;
  /** Number of the newest signed checkpoint; 0 for none. What comes after it is not signed yet. */
  readonly checkpointSequence: number;
}

/** A record that is known to have been written, from a receipt, a peer or an older copy. */
export interface KnownRecord {
  readonly sequence: number;
  readonly hash: string;
}

/**
 * Verifies an audit log, line by line, with nothing but the log's name and its signing keys.
 * Every deletion, edit and reordering before the newest checkpoint is found; that the end was cut
 * off is found only against what is known from elsewhere: `known`.
 */
export class AuditVerifier {
  readonly #log: string;
  readonly #keys: readonly PublicKey[];
  readonly #known: Map<number, string>;
  #last: AuditRecord | undefined;
  #checkpointSequence = 0;

  /** @param keys of the log's checkpoints: P-256, one after the other has signed. */
  constructor(log: string, keys: readonly PublicKey[], known: readonly KnownRecord[] = []) {
    this.#log = log;
    this.#keys = keys;
    this.#known = new Map(known.map(({ sequence, hash }) => [sequence, hash]));
  }

  /**
   * @param line without its newline.
   * @throws CUSTODY_AUDIT_LINE_INVALID, CUSTODY_AUDIT_CHAIN_BROKEN, CUSTODY_AUDIT_TIME_BACK,
   *   CUSTODY_AUDIT_CHECKPOINT_INVALID
   */
  push(line: Uint8Array): AuditRecord {
    const record = parseAuditLine(line);
    const { sequence } = record;
    const previous = this.#last?.hash ?? auditStart(this.#log);
    const follows = sequence === (this.#last?.sequence ?? 0) + 1 && record.previous === previous;
    if (!follows) throw fault('CUSTODY_AUDIT_CHAIN_BROKEN', { sequence });
    if (record.timeMs < (this.#last?.timeMs ?? 0))
      throw fault('CUSTODY_AUDIT_TIME_BACK', { sequence });
    if (record.event === checkpointEvent) this.#checkCheckpoint(record);
    const known = this.#known.get(sequence);
    if (known !== undefined && known !== record.hash) {
      throw fault('CUSTODY_AUDIT_CHAIN_BROKEN', { sequence, why: 'known otherwise' });
    }
    this.#known.delete(sequence);
    this.#last = record;
    return record;
  }

  /** @throws CUSTODY_AUDIT_TRUNCATED */
  end(): AuditReport {
    const [missing] = this.#known.keys();
    if (missing !== undefined) throw fault('CUSTODY_AUDIT_TRUNCATED', { sequence: missing });
    return {
      records: this.#last?.sequence ?? 0,
      lastHash: this.#last?.hash ?? auditStart(this.#log),
      lastTimeMs: this.#last?.timeMs ?? 0,
      checkpointSequence: this.#checkpointSequence,
    };
  }

  #checkCheckpoint({ sequence, previous, facts }: AuditRecord): void {
    const signature = fromBase64(facts['signature'] ?? '');
    const statement = checkpointStatement(this.#log, sequence, previous);
    const isSigned =
      signature !== undefined && this.#keys.some((key) => verifyFabric(key, statement, signature));
    if (!isSigned) throw fault('CUSTODY_AUDIT_CHECKPOINT_INVALID', { sequence });
    this.#checkpointSequence = sequence;
  }
}
