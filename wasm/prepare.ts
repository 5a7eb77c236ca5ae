import { sha256 } from '#crypto';
import { instrument } from './instrument.ts';
import { fault } from './faults.ts';
import { parseModule } from './parse-module.ts';
import { lifeCycle } from './life-cycle.ts';

/** A contract ready to run; holds nothing open and can be posted to a worker thread as it is. */
export interface PreparedContract {
  /** The instrumented module. */
  readonly code: Uint8Array<ArrayBuffer>;
  readonly module: WebAssembly.Module;
  /** SHA-256 of the code as it was given, 32 bytes: the contract's name on the ledger. */
  readonly codeHash: Uint8Array;
  /** Names of the functions that can be invoked, in the module's order. */
  readonly functions: readonly string[];
  /** False when an instance cannot be brought back to its first state. */
  readonly reusable: boolean;
}

/**
 * Checks a contract's code against the rules, builds metering into it and compiles it.
 *
 * @param code a WebAssembly 1.0 binary, `contractCodeBytesMax` at most.
 * @throws WASM_…, kind malformed, naming the offending thing; the same code gets the same verdict on
 * every machine.
 */
export function prepareContract(code: Uint8Array): PreparedContract {
  const original = new Uint8Array(code);
  const { metered, functions, reusable } = lifeCycle.load(() => meter(original));
  const module = lifeCycle.compile(() => new WebAssembly.Module(metered));
  return { code: metered, module, codeHash: sha256(original), functions, reusable };
}

function meter(original: Uint8Array<ArrayBuffer>) {
  const shape = parseModule(original);
  // Metering relies on the types of operands, which only validation has seen.
  if (!WebAssembly.validate(original)) throw fault('WASM_CODE_INVALID');
  const metered = new Uint8Array(instrument(shape));
  return { metered, functions: [...shape.exports.keys()], reusable: !shape.dropsData };
}
