import { Type, limits, toHex, utf8 } from '#base';
import type { Static } from '#base';
import { sha256 } from '#crypto';
import { documentReader } from './document.ts';
import { fault } from './faults.ts';

const hash = Type.String({ pattern: '^[0-9a-f]{64}$' });

/** One line of an audit log, without its newline. */
const AuditLine = Type.Object(
  {
    /** From 1, without gap. */
    sequence: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
    /** Milliseconds since the Unix epoch; never less than in the record before. */
    timeMs: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
    /** What happened: `key.generated`, `order.executed`, `checkpoint` …; names never change. */
    event: Type.String({ pattern: '^[a-z]+(\\.[a-z]+)*$', maxLength: limits.nameBytes }),
    facts: Type.Record(Type.String({ maxLength: 2 * limits.nameBytes }), Type.String()),
    /** SHA-256 of the line before, hex; of the log's name for the first. */
    previous: hash,
  },
  { additionalProperties: false },
);
export type AuditLine = Static<typeof AuditLine>;

export interface AuditRecord extends AuditLine {
  /** SHA-256 of this line, hex. */
  readonly hash: string;
}

/** Where a log stands: number, hash and time of its newest record. */
export interface LogHead {
  readonly sequence: number;
  readonly hash: string;
  readonly timeMs: number;
}

export const checkpointEvent = 'checkpoint';

const read = documentReader(AuditLine, 'audit record');

/** @throws CUSTODY_AUDIT_LINE_INVALID */
export function parseAuditLine(line: Uint8Array): AuditRecord {
  try {
    return { ...read(line), hash: toHex(sha256(line)) };
  } catch (cause) {
    throw fault('CUSTODY_AUDIT_LINE_INVALID', {}, cause);
  }
}

/** @returns the line, and the record's hash for the next one's `previous`. */
export function writeAuditLine(line: AuditLine): { line: Uint8Array; hash: string } {
  const { sequence, timeMs, event, facts, previous } = line;
  const bytes = utf8(JSON.stringify({ sequence, timeMs, event, facts, previous }));
  return { line: bytes, hash: toHex(sha256(bytes)) };
}

/** What the first record of a log follows: records of one log do not continue another. */
export function auditStart(log: string): string {
  return toHex(sha256(utf8(`countersign-audit/1\n${log}\n`)));
}

/**
 * What the signature of a checkpoint is over: the chain up to the record that it covers.
 *
 * @param sequence of the record after that one.
 * @param previous hash of that one.
 */
export function checkpointStatement(log: string, sequence: number, previous: string): Uint8Array {
  return utf8(`countersign-audit-checkpoint/1\n${log}\n${sequence}\n${previous}\n`);
}

/** Number of the newest record that a checkpoint covers; the one before it, if it says nothing else. */
export function coveredBy({ sequence, facts }: AuditRecord): number {
  const { covers } = facts;
  if (covers === undefined) return sequence - 1;
  return /^[1-9][0-9]{0,15}$/.test(covers) && Number(covers) < sequence ? Number(covers) : 0;
}
