import { Fault } from '#base';
import { hostModule, injected } from './abi.ts';
import { outcomeSentences } from './abi-stops.ts';
import { fault } from './faults.ts';
import { HostCalls, stopSignal } from './host-calls.ts';
import type { GuestAccess } from './host-calls.ts';
import type { HostInterface } from './host.ts';
import { lifeCycle } from './life-cycle.ts';
import { pageBytes } from './parse-storage.ts';
import type { PreparedContract } from './prepare.ts';

/** What became of one operation; two machines agree on every field but `cause`. */
export type InvokeOutcome =
  | { readonly ok: true; readonly result: Uint8Array; readonly gasUsed: number }
  | {
      readonly ok: false;
      /**
       * failed: the contract said so · trap: it broke a rule of WebAssembly or of the ABI · gas, depth:
       * it reached a bound · host: the host interface threw a Fault, `message` is its code.
       */
      readonly reason: 'failed' | 'trap' | 'gas' | 'depth' | 'host';
      readonly message: string;
      readonly gasUsed: number;
      /** The Fault or the engine's error behind it; for logs, never for the ledger. */
      readonly cause: unknown;
    };

/**
 * Makes a contract ready to be invoked, any number of times, one at a time.
 *
 * @param host may be replaced between invocations by `instance.host = …`.
 * @throws WASM_HOST_EXHAUSTED when the machine has no memory for it.
 */
export function instantiate(prepared: PreparedContract, host: HostInterface): ContractInstance {
  return new ContractInstance(prepared, host);
}

export class ContractInstance {
  host: HostInterface;
  readonly #prepared: PreparedContract;
  readonly #functions: ReadonlySet<string>;
  readonly #calls: HostCalls;
  readonly #imports: WebAssembly.Imports;
  #guest: Guest | undefined;

  constructor(prepared: PreparedContract, host: HostInterface) {
    this.host = host;
    this.#prepared = prepared;
    this.#functions = new Set(prepared.functions);
    this.#calls = new HostCalls(host);
    this.#imports = { [hostModule]: this.#calls.functions() };
    this.#guest = this.#instantiate();
  }

  /**
   * Runs one exported function. Nothing of an earlier invocation is visible to it.
   *
   * @param args passed to the contract as UTF-8.
   * @param gasMax 0 to 2^31 - 1.
   * @throws WASM_HOST_EXHAUSTED: no outcome of the contract, the invocation may be tried elsewhere; and
   * whatever the host interface throws that is not a Fault.
   */
  invoke(functionName: string, args: readonly string[], gasMax: number): InvokeOutcome {
    if (!this.#functions.has(functionName)) {
      const message = outcomeSentences.absent;
      return { ok: false, reason: 'failed', message, gasUsed: 0, cause: undefined };
    }
    const guest = this.#guest ?? this.#instantiate();
    // Kept only when it came out whole: an instance whose invocation threw is never used again.
    this.#guest = undefined;
    const outcome = lifeCycle.call(() => this.#run(guest, functionName, args, gasMax));
    if (this.#prepared.reusable && restore(guest)) this.#guest = guest;
    return outcome;
  }

  #run(guest: Guest, functionName: string, args: readonly string[], gasMax: number): InvokeOutcome {
    this.#calls.begin(this.host, guest, args);
    try {
      try {
        guest.begin(gasMax);
        guest.functions[functionName]?.();
      } finally {
        this.#calls.finish();
      }
    } catch (cause) {
      return this.#outcomeOf(cause, guest, gasMax);
    }
    return { ok: true, result: this.#calls.result, gasUsed: gasMax - Number(guest.gas.value) };
  }

  #outcomeOf(cause: unknown, guest: Guest, gasMax: number): InvokeOutcome {
    const gasLeft = Number(guest.gas.value);
    const gasUsed = gasMax - Math.max(0, gasLeft);
    const not = (reason: 'failed' | 'trap' | 'gas' | 'depth' | 'host', message: string) =>
      ({ ok: false, reason, message, gasUsed, cause }) as const;
    const { stop } = this.#calls;
    if (cause === stopSignal && stop !== undefined) return not(stop.reason, stop.message);
    if (cause instanceof Fault) return not('host', cause.code);
    if (guest.memoryLost.value !== 0) throw fault('WASM_HOST_EXHAUSTED', { what: 'memory' }, cause);
    if (cause instanceof WebAssembly.RuntimeError) {
      if (gasLeft < 0) return not('gas', outcomeSentences.gas);
      if (guest.stack.value < 0) return not('depth', outcomeSentences.depth);
      return not('trap', outcomeSentences.trap);
    }
    if (isStackOverflow(cause)) throw fault('WASM_HOST_EXHAUSTED', { what: 'stack' }, cause);
    throw cause;
  }

  #instantiate(): Guest {
    return lifeCycle.instantiate(() => newGuest(this.#prepared.module, this.#imports));
  }
}

/** One WebAssembly instance, with what is needed to bring it back to its first state. */
interface Guest extends GuestAccess {
  readonly functions: Readonly<Record<string, () => void>>;
  readonly begin: (gas: number) => void;
  readonly gas: WebAssembly.Global<bigint>;
  readonly stack: WebAssembly.Global<number>;
  readonly memoryLost: WebAssembly.Global<number>;
  readonly memoryBytes: number;
  /** The first memory's content up to its last byte that is not zero. */
  readonly memoryStart: Uint8Array;
}

function newGuest(module: WebAssembly.Module, imports: WebAssembly.Imports): Guest {
  let exports: WebAssembly.Exports;
  try {
    ({ exports } = new WebAssembly.Instance(module, imports));
  } catch (cause) {
    // Segments and imports were checked before: what is left is memory that cannot be had.
    throw fault('WASM_HOST_EXHAUSTED', { what: 'instance' }, cause);
  }
  const memory = exports['memory'] as WebAssembly.Memory;
  return {
    functions: exports as Record<string, () => void>,
    begin: exports[injected.begin] as (gas: number) => void,
    charge: exports[injected.charge] as (gas: number) => void,
    gas: exports[injected.gas] as WebAssembly.Global<bigint>,
    stack: exports[injected.stack] as WebAssembly.Global<number>,
    memoryLost: exports[injected.memoryLost] as WebAssembly.Global<number>,
    memory,
    memoryBytes: memory.buffer.byteLength,
    memoryStart: usedStart(memory.buffer),
  };
}

function usedStart(memory: ArrayBuffer): Uint8Array {
  const words = new Int32Array(memory);
  let used = words.length;
  while (used > 0 && words[used - 1] === 0) used -= 1;
  return new Uint8Array(memory).slice(0, used * words.BYTES_PER_ELEMENT);
}

/** Above this size a new instance is cheaper than cleaning the old one's memory. */
const restoredBytesMax = 16 * pageBytes;

/**
 * Brings memory back; `begin` brings the globals back, tables cannot be changed.
 *
 * @returns false when only a new instance will do: a memory that grew cannot shrink, and a contract
 * can ask for its size.
 */
function restore(guest: Guest): boolean {
  const { buffer } = guest.memory;
  if (buffer.byteLength !== guest.memoryBytes || buffer.byteLength > restoredBytesMax) return false;
  const memory = new Uint8Array(buffer);
  memory.set(guest.memoryStart);
  memory.fill(0, guest.memoryStart.length);
  return true;
}

function isStackOverflow(cause: unknown): boolean {
  return cause instanceof RangeError && cause.message.includes('call stack');
}
