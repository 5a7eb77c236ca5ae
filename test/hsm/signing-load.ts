/** Signatures as fast as they come, for the benches: they may not open the folder themselves. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { cpuMicroseconds } from '../bench/process-cpu.ts';
import { digestOf } from '../../hsm/digest.ts';
import { eventually } from '../support/eventually.ts';
import { faultShim } from '../support/fault-shim.ts';
import type { ShimControl } from '../support/fault-shim.ts';
import { startSigner } from '../support/signer-process.ts';
import { temporaryToken } from '../support/softhsm.ts';
import { LoggedToken } from './logged-token.ts';
import { endorsementPayload } from './samples.ts';
import { openShimmed } from './shimmed-token.ts';
import { temporaryDir } from '../support/temporary-dir.ts';
import type { TestScope } from '../support/temporary-dir.ts';

/** What a bench opens goes with it, as a test's things go with the test. */
export class BenchScope implements TestScope, AsyncDisposable {
  readonly #acts: (() => unknown)[] = [];

  teardown(act: () => unknown): void {
    this.#acts.push(act);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const act of this.#acts.toReversed()) await act();
  }
}

const batch = 64;

export interface SoftwareRate {
  /** Signatures a second over digests, and over contents. */
  readonly digests: number;
  readonly contents: number;
  /** The same, with each on record in a signature log first. */
  readonly logged: number;
  /** Processor time of the token's processes, and of the host's own, for a signature over a digest. */
  readonly tokenCpuUs: number;
  readonly hostCpuUs: number;
}

/** Signatures of SoftHSM with so many processes. */
export async function softwareRate(
  scope: TestScope,
  processes: number,
  seconds: number,
): Promise<SoftwareRate> {
  const token = await temporaryToken(scope, { keys: [{ label: 'node', role: 'node' }] });
  const shim = { ...faultShim(scope, token.module), module: token.module, moduleEnvironment: {} };
  const log = new LoggedToken(temporaryDir(scope)).open();
  scope.teardown(() => log.close());
  let isLogged = false;
  const { tokens, signer } = await openShimmed(scope, token, {
    processes,
    shim,
    record: async (signatures) => {
      if (isLogged) await log.record(signatures);
    },
  });
  while (tokens.dispatch.seats.size < processes) await new Promise(setImmediate);
  const digest = digestOf(Buffer.from('content'));
  const digests = Array.from({ length: batch }, () => ({ label: 'node', digest }));
  const content = Buffer.alloc(600, 1);
  const contents = Array.from({ length: batch }, () => ({ keyLabel: 'node', content }));
  await rate(() => tokens.sign(digests), 0.5);
  const cpuUs = () => [...tokens.processes].reduce((sum, { pid }) => sum + cpuMicroseconds(pid), 0);
  // Of this process it counts the token's as well: they are its children.
  const [tokenBeforeUs, hostBeforeUs] = [cpuUs(), cpuMicroseconds(process.pid)];
  const perSecond = await rate(() => tokens.sign(digests), seconds);
  const made = perSecond * seconds;
  const tokenUs = cpuUs() - tokenBeforeUs;
  const hostUs = cpuMicroseconds(process.pid) - hostBeforeUs - tokenUs;
  const unlogged = await rate(() => signer.sign(contents), seconds);
  isLogged = true;
  return {
    digests: perSecond,
    tokenCpuUs: tokenUs / made,
    hostCpuUs: hostUs / made,
    contents: unlogged,
    logged: await rate(() => signer.sign(contents), seconds),
  };
}

/** Calls of `batch` signatures, some in flight at a time. @returns signatures a second. */
async function rate(act: () => Promise<unknown>, seconds: number, inFlight = 8): Promise<number> {
  const startMs = performance.now();
  let made = 0;
  const caller = async () => {
    while (performance.now() - startMs < seconds * 1000) {
      await act();
      made += batch;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, caller));
  return (made * 1000) / (performance.now() - startMs);
}

export interface SlowRate {
  readonly perSecond: number;
  /** 99th percentile of the caller's event loop delay. */
  readonly loopP99Ms: number;
}

/** A token that takes 2 ms to begin a signature and 3 ms to make it, behind a signer host's socket. */
export async function slowRate(
  scope: TestScope,
  sessions: number,
  seconds: number,
): Promise<SlowRate> {
  const token = await temporaryToken(scope, { keys: [{ label: 'node', role: 'node' }] });
  const { module, moduleEnvironment, control } = faultShim(scope, token.module);
  const host = await startSigner(scope, token, { module, moduleEnvironment, sessions });
  slow(control);
  const item = { keyLabel: 'node', proposalResponsePayload: endorsementPayload() };
  const items = Array.from({ length: batch }, () => item);
  const call = () => host.client.endorse(items);
  // Sessions are opened one after the other while the first ones sign.
  await eventually(async () => {
    await rate(call, 0.2);
    const { gauges } = await host.client.report();
    const open = gauges.find(({ name }) => name === 'sessions')?.value;
    if (open !== BigInt(sessions)) throw new Error(`${open} of ${sessions} sessions are open`);
  });
  // Every thread's engine compiles by itself what runs often.
  await rate(call, 3);
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const perSecond = await rate(call, seconds);
  delay.disable();
  return { perSecond, loopP99Ms: delay.percentile(99) / 1e6 };
}

function slow(control: ShimControl): void {
  control.delay('C_SignInit', 2);
  control.delay('C_Sign', 3);
}
