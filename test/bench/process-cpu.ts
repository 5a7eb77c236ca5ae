import { generateKeyPairSync, sign, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** Kernel clock ticks per second, as /proc reports CPU time. */
const ticksPerSecond = 100;
const referenceVerifications = 5_000;

/** User and system time of a process with all its threads. @see proc(5), fields 14 and 15. */
export function cpuMicroseconds(pid: number | undefined): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1_000_000) / ticksPerSecond;
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
