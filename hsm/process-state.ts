import { readFileSync, readdirSync } from 'node:fs';

/** Waiting for the processor, or for the disk: not for what it called. @see proc(5), /proc/PID/stat */
const underWay: ReadonlySet<string> = new Set(['R', 'D']);

/**
 * Whether a process would go on if the machine let it, as opposed to one whose threads all wait for
 * something outside: on a machine under load the one looks like the other from afar.
 *
 * @returns false where the system does not tell.
 */
export function isUnderWay(pid: number): boolean {
  const dir = `/proc/${pid}/task`;
  try {
    return readdirSync(dir).some((thread) => underWay.has(stateIn(`${dir}/${thread}/stat`)));
  } catch {
    // The process, or one of its threads, has just ended: its exit is heard elsewhere.
    return false;
  }
}

/** The state follows the program's name in brackets, which may hold anything. */
function stateIn(file: string): string {
  const text = readFileSync(file, 'latin1');
  return text.charAt(text.lastIndexOf(')') + 2);
}
