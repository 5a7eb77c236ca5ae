import { guardRate } from '../hsm/guard-load.ts';
import { logRate } from '../hsm/signature-log-load.ts';
import { BenchScope, slowRate, softwareRate } from '../hsm/signing-load.ts';
import type { Figure } from './figure.ts';

const seconds = 4;
const slowSessions = 32;
const unit = 'signatures/s';

/** Signatures a second: of a token in software, and of one that answers slowly. */
export async function claim(): Promise<Figure[]> {
  await using scope = new BenchScope();
  const one = await softwareRate(scope, 1, seconds);
  const two = await softwareRate(scope, 2, seconds);
  const slow = await slowRate(scope, slowSessions, seconds);
  const log = await logRate(scope, { inFlight: 64, batch: 1, seconds });
  const guard = await guardRate(scope, { channels: 64, seconds });
  const digests = 'SoftHSM, P-256, 64 digests a batch, 8 batches in flight';
  const contents = 'the same with contents of 600 bytes hashed, low S, 1 in 16 verified';
  const logged = 'the same, each on record in the signature log first';
  const recorded = 'the log alone, one signature a call, 64 calls in flight';
  const guarded = 'the guard’s record alone, blocks of 64 channels, one of each under way';
  const slowly = `2 ms + 3 ms a signature, ${slowSessions} sessions, 64 endorsements a call, over the signer host's socket`;
  return [
    { figure: 'softhsm_one_process', value: one.digests, unit, conditions: digests },
    { figure: 'softhsm_two_processes', value: two.digests, unit, conditions: digests },
    {
      figure: 'softhsm_two_to_one',
      value: two.digests / one.digests,
      unit: '×',
      conditions: digests,
    },
    {
      figure: 'softhsm_cpu_token',
      value: one.tokenCpuUs,
      unit: 'µs/signature',
      conditions: digests,
    },
    { figure: 'softhsm_cpu_host', value: one.hostCpuUs, unit: 'µs/signature', conditions: digests },
    { figure: 'softhsm_contents_one_process', value: one.contents, unit, conditions: contents },
    { figure: 'softhsm_contents_two_processes', value: two.contents, unit, conditions: contents },
    { figure: 'softhsm_logged_one_process', value: one.logged, unit, conditions: logged },
    { figure: 'softhsm_logged_two_processes', value: two.logged, unit, conditions: logged },
    { figure: 'log_time', value: log.us, unit: 'µs/signature', conditions: recorded },
    { figure: 'log_cpu', value: log.cpuUs, unit: 'µs/signature', conditions: recorded },
    { figure: 'log_wait_median', value: log.waitMsMedian, unit: 'ms', conditions: recorded },
    { figure: 'log_wait_p99', value: log.waitMsP99, unit: 'ms', conditions: recorded },
    { figure: 'guard_time', value: guard.us, unit: 'µs/block', conditions: guarded },
    { figure: 'guard_disk', value: guard.syncUs, unit: 'µs/block', conditions: guarded },
    { figure: 'guard_wait_median', value: guard.waitMsMedian, unit: 'ms', conditions: guarded },
    { figure: 'guard_wait_p99', value: guard.waitMsP99, unit: 'ms', conditions: guarded },
    { figure: 'slow_token', value: slow.perSecond, unit, conditions: slowly },
    {
      figure: 'slow_token_caller_loop_p99',
      value: slow.loopP99Ms,
      unit: 'ms',
      conditions: slowly,
    },
  ];
}
