/** The signature log as fast as calls come, for the benches: they may not open the folder themselves. */
import { cpuMicroseconds } from '../bench/process-cpu.ts';
import { LoggedToken, batchOf } from './logged-token.ts';
import { temporaryDir } from '../support/temporary-dir.ts';
import type { TestScope } from '../support/temporary-dir.ts';

export interface LogRate {
  /** Time, and processor time of the host's process, that a signature's record takes. */
  readonly us: number;
  readonly cpuUs: number;
  /** How long a call waits for its record: median and 99th percentile. */
  readonly waitMsMedian: number;
  readonly waitMsP99: number;
  readonly bytes: number;
}

/** So many calls in flight at all times, each of so many signatures. */
export async function logRate(
  scope: TestScope,
  { inFlight, batch, seconds }: { inFlight: number; batch: number; seconds: number },
): Promise<LogRate> {
  const token = new LoggedToken(temporaryDir(scope));
  const log = token.open();
  scope.teardown(() => log.close());
  const signatures = batchOf('load', batch);
  const waitsMs: number[] = [];
  const run = async (ms: number) => {
    waitsMs.length = 0;
    const startMs = performance.now();
    const caller = async () => {
      while (performance.now() - startMs < ms) {
        const beforeMs = performance.now();
        await log.record(signatures);
        waitsMs.push(performance.now() - beforeMs);
      }
    };
    await Promise.all(Array.from({ length: inFlight }, caller));
    return performance.now() - startMs;
  };
  await run(300);
  const bytesBefore = bytesOf(token);
  const cpuBeforeUs = cpuMicroseconds(process.pid);
  const tookMs = await run(seconds * 1000);
  const cpuUs = cpuMicroseconds(process.pid) - cpuBeforeUs;
  const made = waitsMs.length * batch;
  const sorted = waitsMs.toSorted((one, other) => one - other);
  const at = (part: number) => sorted[Math.floor(sorted.length * part)] ?? 0;
  await log.finish();
  return {
    us: (tookMs * 1000) / made,
    cpuUs: cpuUs / made,
    waitMsMedian: at(0.5),
    waitMsP99: at(0.99),
    bytes: (bytesOf(token) - bytesBefore) / made,
  };
}

function bytesOf(token: LoggedToken): number {
  return token.segments().reduce((sum, { length }) => sum + length, 0);
}
