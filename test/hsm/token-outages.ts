/** What callers of a signer host meet while its token fails, for the benches. */
import pkcs11js from 'pkcs11js';
import { Fault } from '#base';
import type { SignerClient, SignerReport } from '#formats';
import { eventually } from '../support/eventually.ts';
import { faultShim } from '../support/fault-shim.ts';
import type { ShimControl } from '../support/fault-shim.ts';
import { startSigner } from '../support/signer-process.ts';
import { temporaryToken } from '../support/softhsm.ts';
import { endorsementPayload } from './samples.ts';
import type { TestScope } from '../support/temporary-dir.ts';

export const outages = ['fails', 'hangs', 'is gone'] as const;
export type Outage = (typeof outages)[number];

export interface OutageFigures {
  /** Calls that were served, or refused with a fault that says to come again. */
  readonly served: number;
  readonly refused: number;
  /** Calls that ended in any other way: none may. */
  readonly otherwise: readonly string[];
  readonly refusedMsMax: number;
  readonly refusedMsP99: number;
  /** From the token's return to the first signature. */
  readonly backMs: number;
  readonly poisoned: bigint;
}

interface Outcome {
  readonly endMs: number;
  readonly tookMs: number;
  readonly code: string;
}

const callers = 8;
const itemsPerCall = 4;
/** A caller that was told to come again does so after this. */
const pauseMs = 5;

/** Callers without a pause; in the middle of it the token is out for so many seconds. */
export async function outageFigures(
  scope: TestScope,
  outage: Outage,
  seconds: number,
): Promise<OutageFigures> {
  const token = await temporaryToken(scope, { keys: [{ label: 'node', role: 'node' }] });
  const { module, moduleEnvironment, control } = faultShim(scope, token.module);
  const host = await startSigner(scope, token, { module, moduleEnvironment });
  const load = new Load(host.client);
  await pause(3_000);
  begin(control, outage);
  await pause(seconds * 1000);
  const healedMs = performance.now();
  control.heal();
  const back = await eventually(() => load.firstServedAfter(healedMs));
  await pause(1_000);
  const outcomes = await load.end();
  const report = await host.client.report();
  const hasEnded = await Promise.race([host.exited.then(() => true), pause(0).then(() => false)]);
  if (hasEnded) throw new Error('the signer host ended');
  return { ...figuresOf(outcomes), backMs: back - healedMs, ...stateOf(report) };
}

function begin(control: ShimControl, outage: Outage): void {
  if (outage === 'hangs') control.hang('C_Sign');
  else if (outage === 'is gone') control.set('removed', 1);
  else {
    for (const name of ['C_SignInit', 'C_Sign', 'C_OpenSession'] as const) {
      control.fail(name, pkcs11js.CKR_DEVICE_ERROR);
    }
  }
}

function stateOf({ counters }: SignerReport): { poisoned: bigint } {
  return { poisoned: counters.find(({ name }) => name === 'sessionsPoisoned')?.value ?? -1n };
}

function figuresOf(outcomes: readonly Outcome[]) {
  const refused = outcomes.filter(({ code }) => code === 'busy').map(({ tookMs }) => tookMs);
  const sorted = refused.toSorted((a, b) => a - b);
  const others = outcomes.filter(({ code }) => code !== 'busy' && code !== '');
  return {
    served: outcomes.filter(({ code }) => code === '').length,
    refused: refused.length,
    otherwise: [...new Set(others.map(({ code }) => code))],
    refusedMsMax: sorted.at(-1) ?? 0,
    refusedMsP99: sorted[Math.floor(sorted.length * 0.99)] ?? 0,
  };
}

/** Calls after calls, until it is told to end. */
class Load {
  readonly #client: SignerClient;
  readonly #outcomes: Outcome[] = [];
  readonly #callers: Promise<void>[];
  #isOver = false;

  constructor(client: SignerClient) {
    this.#client = client;
    this.#callers = Array.from({ length: callers }, () => this.#call());
  }

  firstServedAfter(startMs: number): number {
    const found = this.#outcomes.find(({ code, endMs }) => code === '' && endMs > startMs);
    if (found === undefined) throw new Error('none is served yet');
    return found.endMs;
  }

  async end(): Promise<readonly Outcome[]> {
    this.#isOver = true;
    await Promise.all(this.#callers);
    return this.#outcomes;
  }

  async #call(): Promise<void> {
    const item = { keyLabel: 'node', proposalResponsePayload: endorsementPayload() };
    const items = Array.from({ length: itemsPerCall }, () => item);
    while (!this.#isOver) {
      const startMs = performance.now();
      const code = await this.#client.endorse(items).then(() => '', kindOf);
      const endMs = performance.now();
      this.#outcomes.push({ endMs, tookMs: endMs - startMs, code });
      if (code !== '') await pause(pauseMs);
    }
  }
}

/** Faults of kind `busy` are the ones that HTTP clients get as 503. */
function kindOf(error: unknown): string {
  if (!(error instanceof Fault)) return String(error);
  return error.kind === 'busy' ? 'busy' : error.code;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
