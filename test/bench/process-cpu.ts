import { readFileSync } from 'node:fs';

/** Kernel clock ticks per second, as /proc reports CPU time. */
const ticksPerSecond = 100;

/** User and system time of a process with all its threads. @see proc(5), fields 14 and 15. */
export function cpuMicroseconds(pid: number | undefined): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1_000_000) / ticksPerSecond;
}
