import { fromBase64 } from '#base';
import { verifyFabric } from '#crypto';
import type { PublicKey } from '#crypto';
import { Anchorings } from './anchorings.ts';
import {
  auditStart,
  checkpointEvent,
  checkpointStatement,
  coveredBy,
  parseAuditLine,
} from './audit-record.ts';
import type { AuditRecord } from './audit-record.ts';
import { fault } from './faults.ts';

/** What a log that holds together says of itself. */
export interface AuditReport {
  readonly records: number;
  /** Number of the newest one; 0 without any. */
  readonly lastRecord: number;
  readonly lastHash: string;
  readonly lastTimeMs: number;
  /** Number of the newest signed checkpoint; 0 for none. What comes after it is not signed yet. */
  readonly checkpointSequence: number;
  /** Number of the newest record that it covers: up to here nobody has changed anything. */
  readonly coveredSequence: number;
  /** Newest count of the hardware counter that the log was anchored to; empty without one. */
  readonly anchored: string;
}

/** What is known of a log from elsewhere; without it nobody misses an end that was cut off. */
export interface KnownOfLog {
  readonly known?: readonly KnownRecord[];
  /** What the hardware counter stands at, less its start value. */
  readonly anchored?: bigint | undefined;
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
  readonly #anchored: bigint;
  readonly #anchorings = new Anchorings();
  readonly #mayStartLate: boolean;
  /** Hashes of the records from the one that the newest checkpoint covers on. */
  readonly #uncovered = new Map<number, string>();
  #last: AuditRecord | undefined;
  #records = 0;
  #checkpointSequence = 0;
  #coveredSequence = 0;

  /**
   * @param keys of the log's checkpoints: P-256, one after the other has signed.
   * @param options.mayStartLate what came before the first record may be kept elsewhere.
   */
  constructor(
    log: string,
    keys: readonly PublicKey[],
    { known = [], anchored = 0n }: KnownOfLog = {},
    { mayStartLate = false } = {},
  ) {
    this.#log = log;
    this.#keys = keys;
    this.#known = new Map(known.map(({ sequence, hash }) => [sequence, hash]));
    this.#anchored = anchored;
    this.#mayStartLate = mayStartLate;
  }

  /**
   * @param line without its newline.
   * @throws CUSTODY_AUDIT_LINE_INVALID, CUSTODY_AUDIT_CHAIN_BROKEN, CUSTODY_AUDIT_TIME_BACK,
   *   CUSTODY_AUDIT_CHECKPOINT_INVALID
   */
  push(line: Uint8Array): AuditRecord {
    const record = parseAuditLine(line);
    const { sequence } = record;
    if (!this.#follows(record)) throw fault('CUSTODY_AUDIT_CHAIN_BROKEN', { sequence });
    if (record.timeMs < (this.#last?.timeMs ?? 0))
      throw fault('CUSTODY_AUDIT_TIME_BACK', { sequence });
    if (record.event === checkpointEvent) this.#checkCheckpoint(record);
    const known = this.#known.get(sequence);
    if (known !== undefined && known !== record.hash) {
      throw fault('CUSTODY_AUDIT_CHAIN_BROKEN', { sequence, why: 'known otherwise' });
    }
    this.#known.delete(sequence);
    this.#anchorings.take(record);
    this.#uncovered.set(sequence, record.hash);
    this.#last = record;
    this.#records += 1;
    return record;
  }

  /** @throws CUSTODY_AUDIT_TRUNCATED */
  end(): AuditReport {
    const [missing] = this.#known.keys();
    if (missing !== undefined) throw fault('CUSTODY_AUDIT_TRUNCATED', { sequence: missing });
    const { newest } = this.#anchorings;
    if (this.#anchored > (newest?.count ?? 0n)) {
      throw fault('CUSTODY_AUDIT_TRUNCATED', { anchored: newest?.count, stands: this.#anchored });
    }
    return {
      records: this.#records,
      lastRecord: this.#last?.sequence ?? 0,
      lastHash: this.#last?.hash ?? auditStart(this.#log),
      lastTimeMs: this.#last?.timeMs ?? 0,
      checkpointSequence: this.#checkpointSequence,
      coveredSequence: this.#coveredSequence,
      anchored: String(newest?.count ?? ''),
    };
  }

  #follows({ sequence, previous }: AuditRecord): boolean {
    if (this.#last === undefined && this.#mayStartLate && sequence > 1) return true;
    const last = this.#last ?? { sequence: 0, hash: auditStart(this.#log) };
    return sequence === last.sequence + 1 && previous === last.hash;
  }

  #checkCheckpoint(record: AuditRecord): void {
    const { sequence, facts } = record;
    const covered = coveredBy(record);
    const hash = covered === sequence - 1 ? record.previous : this.#uncovered.get(covered);
    const signature = fromBase64(facts['signature'] ?? '');
    const isSigned =
      hash !== undefined &&
      signature !== undefined &&
      this.#isSigned(checkpointStatement(this.#log, covered + 1, hash), signature);
    if (!isSigned) throw fault('CUSTODY_AUDIT_CHECKPOINT_INVALID', { sequence });
    this.#checkpointSequence = sequence;
    this.#coveredSequence = covered;
    for (const one of this.#uncovered.keys()) {
      if (one >= covered) return;
      this.#uncovered.delete(one);
    }
  }

  #isSigned(statement: Uint8Array, signature: Uint8Array): boolean {
    return this.#keys.some((key) => verifyFabric(key, statement, signature));
  }
}
