/** The signature log as fast as calls come, for the benches: they may not open the folder themselves. */
import { cpuMicroseconds } from '../bench/process-cpu.ts';
import { LoggedToken, batchOf } from './logged-token.ts';
import { temporaryDir } from '../support/temporary-dir.ts';
import type { TestScope } from '../support/temporary-dir.ts';
import { waitsOf } from '../support/waits.ts';

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
  const run = (ms: number) => waitsOf(() => log.record(signatures), { inFlight, ms });
  await run(300);
  const bytesBefore = bytesOf(token);
  const cpuBeforeUs = cpuMicroseconds(process.pid);
  const { count, tookMs, medianMs, p99Ms } = await run(seconds * 1000);
  const cpuUs = cpuMicroseconds(process.pid) - cpuBeforeUs;
  const made = count * batch;
  await log.finish();
  return {
    us: (tookMs * 1000) / made,
    cpuUs: cpuUs / made,
    waitMsMedian: medianMs,
    waitMsP99: p99Ms,
    bytes: (bytesOf(token) - bytesBefore) / made,
  };
}

function bytesOf(token: LoggedToken): number {
  return token.segments().reduce((sum, { length }) => sum + length, 0);
}
