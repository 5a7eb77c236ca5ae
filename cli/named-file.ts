import { readFileSync } from 'node:fs';
import { fault } from './faults.ts';

/** A file that the command line names. @throws CLI_FILE_UNREADABLE */
export function readNamed(file: string): Uint8Array {
  try {
    return new Uint8Array(readFileSync(file));
  } catch (cause) {
    throw fault('CLI_FILE_UNREADABLE', { file, reason: (cause as Error).message }, cause);
  }
}
