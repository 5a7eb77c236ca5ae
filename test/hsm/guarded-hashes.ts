import { readFileSync } from 'node:fs';
import { emptyBytes, equalBytes, toHex } from '#base';
import { readRecord, recordBytes } from '../../hsm/guard-record.ts';
import { GuardState } from '../../hsm/guard-state.ts';

/** @returns number and header hash of every block that the guard's file lets be signed, once each. */
export function guardedHashes(file: string): string[] {
  const bytes = readFileSync(file);
  const state = new GuardState();
  const hashes = new Set<string>();
  for (let offset = 0; offset < bytes.length; offset += recordBytes) {
    const reading = readRecord(bytes.subarray(offset, offset + recordBytes));
    if (typeof reading === 'string') throw new Error(`a record of the guard is ${reading}`);
    const { kind, channel, number, headerHash } = reading.record;
    state.apply(reading.record, reading.sequence);
    // What a former holder wrote counts for nobody.
    const counts = equalBytes(state.latestOf(channel)?.headerHash ?? emptyBytes, headerHash);
    if (kind === 'block' && counts) hashes.add(`${number} ${toHex(headerHash)}`);
  }
  return [...hashes];
}
