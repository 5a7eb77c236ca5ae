/** The guard's record as fast as blocks come, for the benches: they may not open the folder themselves. */
import { fdatasyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { emptyBytes, utf8 } from '#base';
import { sha256 } from '#crypto';
import { BlockGuard } from '../../hsm/block-guard.ts';
import { recordBytes } from '../../hsm/guard-record.ts';
import { temporaryDir } from '../support/temporary-dir.ts';
import type { TestScope } from '../support/temporary-dir.ts';
import { waitsOf } from '../support/waits.ts';

export interface GuardRate {
  /** Time that a block's record takes, and the part of it that is the disk's. */
  readonly us: number;
  readonly syncUs: number;
  /** How long a block waits for its record. */
  readonly waitMsMedian: number;
  readonly waitMsP99: number;
}

/** Blocks of so many channels at all times, one of each. */
export async function guardRate(
  scope: TestScope,
  { channels, seconds }: { channels: number; seconds: number },
): Promise<GuardRate> {
  const guard = await BlockGuard.open(temporaryDir(scope));
  scope.teardown(() => guard.close());
  const newest = Array.from({ length: channels }, (): { number: bigint; hash: Uint8Array } => ({
    number: 0n,
    hash: emptyBytes,
  }));
  const allow = async (caller: number) => {
    const { number: before, hash: previousHash } = newest[caller]!;
    const number = before + 1n;
    const headerHash = sha256(utf8(`${caller} ${number}`));
    await guard.allow({ channel: `ch${caller}`, number, headerHash, previousHash });
    newest[caller] = { number, hash: headerHash };
  };
  await waitsOf(allow, { inFlight: channels, ms: 300 });
  const { count, tookMs, medianMs, p99Ms } = await waitsOf(allow, {
    inFlight: channels,
    ms: seconds * 1000,
  });
  const syncUs = medianSyncUs(scope, channels) / channels;
  return { us: (tookMs * 1000) / count, syncUs, waitMsMedian: medianMs, waitMsP99: p99Ms };
}

/** What the disk takes for as many records at once, without the guard. */
function medianSyncUs(scope: TestScope, records: number): number {
  const file = openSync(join(temporaryDir(scope), 'records'), 'a');
  const bytes = Buffer.alloc(records * recordBytes, 1);
  const tookUs = Array.from({ length: 500 }, () => {
    writeSync(file, bytes);
    const startMs = performance.now();
    fdatasyncSync(file);
    return (performance.now() - startMs) * 1000;
  });
  return tookUs.toSorted((one, other) => one - other)[250] ?? 0;
}
