import process from 'node:process';
import { Fault } from './faults.ts';
import { createLog } from './log.ts';

/** What the exit status says to whoever started the process. */
const exitCodes = {
  /** Starting it again, later, may help: recovery is the normal start. */
  lost: 1,
  /** Starting it again does not help. */
  refused: 2,
} as const;

/**
 * Runs a process's main program. What it throws is told in the log and by the exit status, at once.
 *
 * @param name of the log.
 * @param isHopeless whether a fault stays until somebody has done something about it.
 */
export async function runMain(
  name: string,
  main: () => Promise<void>,
  isHopeless: (fault: Fault) => boolean = ({ kind }) => kind === 'malformed',
): Promise<void> {
  try {
    await main();
  } catch (error) {
    const known = error instanceof Fault ? error : undefined;
    const facts = known === undefined ? { err: error } : { code: known.code, ...known.detail };
    createLog(name).fatal(facts, known?.message ?? 'The process failed inside.');
    process.exit(known !== undefined && isHopeless(known) ? exitCodes.refused : exitCodes.lost);
  }
}

/** Ends the process once SIGTERM or SIGINT has come and everything is closed. */
export function stopOnSignals(close: () => Promise<void>): void {
  let isStopping = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (isStopping) return;
      isStopping = true;
      void close().then(() => process.exit(0));
    });
  }
}
