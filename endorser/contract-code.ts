import { LruMap, limits, toHex } from '#base';
import { lifecycleKeys, lifecycleNamespace } from '#formats';
import { instantiate, prepareContract } from '#wasm';
import type { HostInterface, InvokeOutcome, PreparedContract } from '#wasm';
import { fault } from './faults.ts';
import type { Invocable, InvocationOutcome } from './run-bundle.ts';
import type { StateSource } from './simulator.ts';

/** Compiled contracts kept; each is some hundred kilobytes of machine code. */
const preparedMax = 64;

/** Contract code by hash, prepared once. One instance lives in each simulation worker. */
export class ContractCode {
  readonly #prepared = new LruMap<string, PreparedContract>(preparedMax);

  /** @throws ENDORSER_CONTRACT_UNKNOWN when the definition has no code on the ledger. */
  open(name: string, source: StateSource, host: HostInterface): Invocable {
    const hash = source.get(lifecycleNamespace, lifecycleKeys.contract(name))?.value;
    if (hash === undefined) throw fault('ENDORSER_CONTRACT_UNKNOWN', { contract: name });
    const prepared = this.#prepared.get(toHex(hash)) ?? this.#prepare(hash, source);
    const instance = instantiate(prepared, host);
    return {
      invoke: (functionName, args) =>
        outcomeOf(instance.invoke(functionName, [...args], limits.operationGasMax)),
    };
  }

  #prepare(hash: Uint8Array, source: StateSource): PreparedContract {
    const code = source.get(lifecycleNamespace, lifecycleKeys.code(hash))?.value;
    if (code === undefined) throw fault('ENDORSER_CONTRACT_UNKNOWN', { codeHash: toHex(hash) });
    const prepared = prepareContract(code);
    this.#prepared.set(toHex(hash), prepared);
    return prepared;
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
  return { ok: false, message: outcome.message, ...failures[outcome.reason] };
}
