import { readFileSync } from 'node:fs';
import { toHex } from '#base';
import { readRecord, recordBytes } from '../../hsm/guard-record.ts';

/** @returns number and header hash of every block that the guard's file lets be signed, once each. */
export function guardedHashes(file: string): string[] {
  const bytes = readFileSync(file);
  const hashes = new Set<string>();
  for (let offset = 0; offset < bytes.length; offset += recordBytes) {
    const reading = readRecord(bytes.subarray(offset, offset + recordBytes));
    if (typeof reading === 'string') throw new Error(`a record of the guard is ${reading}`);
    const { kind, number, headerHash } = reading.record;
    if (kind === 'block') hashes.add(`${number} ${toHex(headerHash)}`);
  }
  return [...hashes];
}
