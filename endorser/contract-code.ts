import { Fault, LruMap, limits, toHex } from '#base';
import { lifecycleKeys, lifecycleNamespace } from '#formats';
import { instantiate, prepareContract } from '#wasm';
import type { ContractInstance, HostInterface, InvokeOutcome } from '#wasm';
import { fault } from './faults.ts';
import type { Invocable, InvocationOutcome } from './run-bundle.ts';
import type { StateSource } from './simulator.ts';

/** Instances kept; each has its machine code and its memory. */
const instancesMax = 32;

/** Contract code by hash, made ready once. One of these lives in each simulation worker. */
export class ContractCode {
  readonly #instances = new LruMap<string, ContractInstance>(instancesMax);

  /** @throws ENDORSER_CONTRACT_UNKNOWN when the definition has no code on the ledger. */
  open(name: string, source: StateSource, host: HostInterface): Invocable {
    const hash = source.get(lifecycleNamespace, lifecycleKeys.contract(name))?.value;
    if (hash === undefined) throw fault('ENDORSER_CONTRACT_UNKNOWN', { contract: name });
    const instance = this.#instance(hash, source, host);
    return {
      invoke: (functionName, args) =>
        outcomeOf(instance.invoke(functionName, args, limits.operationGasMax)),
    };
  }

  #instance(hash: Uint8Array, source: StateSource, host: HostInterface): ContractInstance {
    const known = this.#instances.get(toHex(hash));
    if (known !== undefined) {
      known.host = host;
      return known;
    }
    const code = source.get(lifecycleNamespace, lifecycleKeys.code(hash))?.value;
    if (code === undefined) throw fault('ENDORSER_CONTRACT_UNKNOWN', { codeHash: toHex(hash) });
    const made = instantiate(prepareContract(code), host);
    this.#instances.set(toHex(hash), made);
    return made;
  }
}

/** HTTP-like statuses of requests that the contract or its bounds ended. */
const failures = {
  failed: { status: 422, code: 'ENDORSER_CONTRACT_FAILED' },
  trap: { status: 500, code: 'ENDORSER_CONTRACT_TRAPPED' },
  gas: { status: 508, code: 'ENDORSER_GAS_EXHAUSTED' },
  depth: { status: 508, code: 'ENDORSER_DEPTH_EXHAUSTED' },
  host: { status: 422, code: 'ENDORSER_HOST_REFUSED' },
} as const;

function outcomeOf(outcome: InvokeOutcome): InvocationOutcome {
  if (outcome.ok) return outcome;
  // What only this machine suffers from is no outcome of the contract: nothing may be endorsed.
  if (outcome.cause instanceof Fault && machineKinds.has(outcome.cause.kind)) throw outcome.cause;
  return { ok: false, message: outcome.message, ...failures[outcome.reason] };
}

const machineKinds = new Set(['busy', 'broken', 'fatal']);
