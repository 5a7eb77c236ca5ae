import type { ClientEntry } from '#manager';
import { fault } from './faults.ts';

/** `CHANNEL/CONTRACT/FUNCTION`; several functions with `+` between them, `*` for all. */
export function parseGrant(text: string): ClientEntry['grants'][number] {
  const [channel, contract, functions, ...rest] = text.split('/');
  if (!channel || !contract || !functions || rest.length > 0) {
    throw fault('CLI_USAGE_WRONG', { grant: text });
  }
  return { channel, contract, functions: functions.split('+') };
}
