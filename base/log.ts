import { pino } from 'pino';

export type Log = pino.Logger;

/**
 * The process's logger: a fixed sentence per event, facts in fields.
 *
 * @param part which process or folder speaks, for example `manager`.
 * @param level pino's level name; `silent` for tests.
 */
export function createLog(part: string, level = 'info'): Log {
  return pino({ level, base: { part }, timestamp: pino.stdTimeFunctions.isoTime });
}

export const silentLog: Log = pino({ level: 'silent' });
