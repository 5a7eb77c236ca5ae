import { generateKeyPairSync, sign, verify } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';

/** Kernel clock ticks per second, as /proc reports CPU time. */
const ticksPerSecond = 100;
const referenceVerifications = 5_000;

/**
 * User and system time of a process with all its threads, and of all processes below it: a signer
 * host's token is in one of its own.
 */
export function cpuMicroseconds(pid: number | undefined): number {
  if (pid === undefined) throw new TypeError('no such process');
  const all = new Map<number, { parent: number; us: number }>();
  for (const name of readdirSync('/proc')) {
    const one = /^\d+$/.test(name) ? statOf(Number(name)) : undefined;
    if (one !== undefined) all.set(Number(name), one);
  }
  const isBelow = (one: number): boolean =>
    one === pid || (all.has(one) && isBelow(all.get(one)!.parent));
  return [...all].reduce((sum, [one, { us }]) => sum + (isBelow(one) ? us : 0), 0);
}

/** @see proc(5): fields 4, 14 and 15. @returns undefined when the process has ended meanwhile. */
function statOf(pid: number): { parent: number; us: number } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const ticks = Number(fields[11]) + Number(fields[12]);
    return { parent: Number(fields[1]), us: (ticks * 1_000_000) / ticksPerSecond };
  } catch {
    return undefined;
  }
}

/** The yardstick: one P-256 verification by this machine in this minute, CPU time. */
export function verificationCpuUs(): number {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const message = Buffer.alloc(600, 1);
  const signature = sign('sha256', message, privateKey);
  const before = process.cpuUsage();
  for (let count = 0; count < referenceVerifications; count += 1) {
    verify('sha256', message, publicKey, signature);
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / referenceVerifications;
}
