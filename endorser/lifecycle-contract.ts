import { Fault, fromBase64, limits, toHex, utf8 } from '#base';
import { sha256 } from '#crypto';
import {
  ApplicationPolicy,
  checkLifecycleWrites,
  definitionWrites,
  isContractName,
  lifecycleNamespace,
  readDefinition,
} from '#formats';
import { parsePolicyText } from '#policy';
import { prepareContract } from '#wasm';
import { fault } from './faults.ts';
import type { Invocable, InvocationOutcome } from './run-bundle.ts';
import type { SimulatedRequest } from './simulation-messages.ts';
import type { Simulator } from './simulator.ts';

const referencePrefix = 'reference:';
/** Fabric's own rule for versions (core/chaincode/lifecycle/scc.go). */
const versionForm = /^[A-Za-z0-9_.+-]+$/;

/**
 * The one contract that is not WASM: it writes contract definitions and their code.
 * Functions: deploy(name, version, sequence, policy, code in base64), where policy is Fabric's policy
 * text or `reference:` and the path of a channel policy.
 */
export class LifecycleContract implements Invocable {
  readonly #simulator: Simulator;
  readonly #request: () => SimulatedRequest;

  constructor(simulator: Simulator, request: () => SimulatedRequest) {
    this.#simulator = simulator;
    this.#request = request;
  }

  invoke(functionName: string, args: readonly string[]): InvocationOutcome {
    try {
      if (functionName !== 'deploy') {
        throw fault('ENDORSER_FUNCTION_UNKNOWN', { function: functionName });
      }
      return { ok: true, result: this.#deploy(args) };
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      return { ok: false, status: 422, code: error.code, message: describe(error) };
    }
  }

  /** @returns hex SHA-256 of the code. */
  #deploy(args: readonly string[]): Uint8Array {
    if (!this.#request().clientIsAdmin) throw fault('ENDORSER_ADMIN_REQUIRED');
    const definition = parseDeployment(args);
    const current = readDefinition(definition.name, (key) =>
      this.#simulator.get(lifecycleNamespace, key),
    );
    if (definition.sequence !== (current?.sequence ?? 0n) + 1n) {
      throw fault('ENDORSER_SEQUENCE_WRONG', { current: current?.sequence ?? 0n });
    }
    const writes = definitionWrites(definition, definition.code);
    // The signer hosts' own rule: what it refuses there would fail with the whole bundle.
    checkLifecycleWrites(writes);
    for (const { key, value } of writes) this.#simulator.put(lifecycleNamespace, key, value);
    return utf8(toHex(sha256(definition.code)));
  }
}

function parseDeployment(args: readonly string[]) {
  const invalid = (what: string) => fault('ENDORSER_DEFINITION_INVALID', { what });
  const [name, version, sequence, policy, codeText, ...rest] = args;
  if (codeText === undefined || rest.length > 0) throw invalid('number of arguments');
  if (!isContractName(name ?? '')) throw invalid('name');
  if (!versionForm.test(version ?? '') || (version ?? '').length > limits.nameBytes) {
    throw invalid('version');
  }
  if (!/^[1-9][0-9]{0,9}$/.test(sequence ?? '')) throw invalid('sequence');
  const code = fromBase64(codeText);
  if (code === undefined || code.length > limits.contractCodeBytesMax) throw invalid('code');
  // Refuses what a peer could not run the same way: floats, foreign imports, unbounded memory.
  prepareContract(code);
  return {
    name: name as string,
    version: version as string,
    sequence: BigInt(sequence as string),
    applicationPolicy: applicationPolicyOf(policy as string),
    code,
  };
}

function applicationPolicyOf(text: string): Uint8Array {
  if (text.startsWith(referencePrefix)) {
    return ApplicationPolicy.encode({
      channelConfigPolicyReference: text.slice(referencePrefix.length),
    });
  }
  return ApplicationPolicy.encode({ signaturePolicy: parsePolicyText(text) });
}

function describe(error: Fault): string {
  const facts = Object.entries(error.detail).map(([name, value]) => `${name}: ${String(value)}`);
  return facts.length === 0 ? error.message : `${error.message} (${facts.join(', ')})`;
}
