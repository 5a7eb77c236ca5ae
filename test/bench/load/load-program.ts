import { readFileSync } from 'node:fs';
import type { ClientProfile } from '../../interop/client-profile.ts';
import { percentile } from '../figure.ts';

/** What one run of a load program measured; latency is from the first call to the commit's notice. */
export interface LoadResult {
  committed: number;
  failed: number;
  /** What the first failure said. */
  failure?: string;
  seconds: number;
  p50Ms: number;
  p99Ms: number;
  /** CPU time of the load program itself. */
  clientCpuUs: number;
}

export interface LoadOrder {
  profileFile: string;
  transactions: number;
  inFlight: number;
  /** Part of every key. */
  run: string;
}

/** One transaction, ready to be sent: resolves when its client knows that it is committed. */
export type Shot = () => Promise<void>;

/**
 * The frame of a load program: loads when its parent tells it to, after everything was prepared.
 *
 * @param prepare makes the transactions; what it opens may stay open, the parent ends the process.
 */
export function runLoadProgram(
  prepare: (profile: ClientProfile, order: LoadOrder) => Shot[] | Promise<Shot[]>,
): void {
  let shots: Shot[] = [];
  let inFlight = 1;
  process.on('message', (message: LoadOrder | 'go') => {
    void (async () => {
      if (message === 'go') return process.send?.(await fireAll(shots, inFlight));
      const profile = JSON.parse(readFileSync(message.profileFile, 'utf8')) as ClientProfile;
      inFlight = message.inFlight;
      shots = await prepare(profile, message);
      return process.send?.('ready');
    })();
  });
}

async function fireAll(shots: readonly Shot[], inFlight: number): Promise<LoadResult> {
  const waits: number[] = [];
  let failed = 0;
  let failure: string | undefined;
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let shot = shots[next++]; shot !== undefined; shot = shots[next++]) {
      const startMs = performance.now();
      try {
        await shot();
        waits.push(performance.now() - startMs);
      } catch (error) {
        failed += 1;
        failure ??= String(error);
      }
    }
  };
  const cpuBefore = process.cpuUsage();
  const startMs = performance.now();
  await Promise.all(Array.from({ length: inFlight }, worker));
  const seconds = (performance.now() - startMs) / 1000;
  const { user, system } = process.cpuUsage(cpuBefore);
  const sorted = waits.toSorted((a, b) => a - b);
  return {
    committed: waits.length,
    failed,
    ...(failure === undefined ? {} : { failure }),
    seconds,
    p50Ms: percentile(sorted, 0.5),
    p99Ms: percentile(sorted, 0.99),
    clientCpuUs: user + system,
  };
}

/** A value of a hundred bytes. */
export function valueOf(index: number): string {
  return `${index} `.padEnd(100, '.');
}
