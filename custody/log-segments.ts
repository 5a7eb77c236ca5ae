import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** A file of a log that is kept in several. */
export interface LogSegment {
  /** From 1, one more with every start of the host and every full file. */
  readonly number: number;
  readonly path: string;
}

/** Those that are kept in a directory, oldest first. */
export function segmentsIn(dir: string): LogSegment[] {
  const names = existsSync(dir) ? readdirSync(dir) : [];
  return names
    .filter((name) => segmentName.test(name))
    .map((name) => ({ number: Number(name.slice(0, 8)), path: join(dir, name) }))
    .toSorted((one, other) => one.number - other.number);
}

export function segmentPath(dir: string, number: number): string {
  return join(dir, `${String(number).padStart(8, '0')}.jsonl`);
}

const segmentName = /^[0-9]{8}\.jsonl$/;
