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
  const digests = 'SoftHSM, P-256, 64 digests a batch, 8 batches in flight';
  const contents = 'the same with contents of 600 bytes hashed, low S, 1 in 16 verified';
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
    { figure: 'slow_token', value: slow.perSecond, unit, conditions: slowly },
    {
      figure: 'slow_token_caller_loop_p99',
      value: slow.loopP99Ms,
      unit: 'ms',
      conditions: slowly,
    },
  ];
}
