import { emptyBytes, equalBytes, fromHex, limits, toHex, utf8 } from '#base';
import { lifecycleNamespace, parseLifecycleOperation, parseRotateOperation } from '#formats';
import { parseApplicationPolicyText } from '#policy';
import { fault } from './faults.ts';
import { answerLifecycleCall } from './lifecycle-calls.ts';
import { approvedContract, checkDefinition } from './lifecycle-definition.ts';
import { LifecycleOperations } from './lifecycle-operations.ts';
import type { LifecycleState } from './lifecycle-operations.ts';
import type {
  BundleSimulation,
  CallResult,
  ContractCall,
  LifecycleGrounds,
  SimulatedRequest,
  SimulationJob,
} from './simulation-messages.ts';
import { Simulator } from './simulator.ts';
import type { StateSource } from './simulator.ts';

/** The version that stock peers give their built-in contracts. */
const contractVersion = 'syscc';

/**
 * Simulates a bundle of the one contract that is not WASM: a signed request of an administrator or,
 * with no request at all, the order to make what approvals keys are missing.
 *
 * @throws ENDORSER_…, FORMATS_DEFINITION_INVALID, POLICY_TEXT_INVALID, WASM_… why the request is
 *   refused: a failed one would have to be endorsed by those who did not approve it.
 */
export function runLifecycleBundle(
  { requests, lifecycle }: SimulationJob,
  source: StateSource,
): BundleSimulation {
  if (lifecycle === undefined) throw fault('ENDORSER_TASK_INVALID', { what: 'lifecycle' });
  const simulator = new Simulator(source);
  const operations = new LifecycleOperations(stateOf(simulator), lifecycle.facts);
  const [request, ...others] = requests;
  // Each is endorsed by other organisations, so that no two can share a transaction.
  if (others.length > 0) throw fault('ENDORSER_TASK_INVALID', { what: 'number of requests' });
  if (request === undefined && operations.createKeys().length === 0) {
    throw fault('ENDORSER_TASK_INVALID', { what: 'approvals keys' });
  }
  const results = (request === undefined ? [] : [request]).map((one) => ({
    requestId: fromHex(one.requestId) ?? emptyBytes,
    status: 200,
    message: '',
    payloads: [answerRequest(one, lifecycle, operations)],
    code: '',
  }));
  return { readWriteSet: simulator.readWriteSet(), results, events: [], contractVersion };
}

/** Simulates a call as Fabric's tools make it. A refusal is an answer, with Fabric's status. */
export function runLifecycleCall(call: ContractCall, source: StateSource): CallResult {
  const { request, lifecycle, rawArgs = [], attachments = [] } = call;
  if (lifecycle === undefined) throw fault('ENDORSER_TASK_INVALID', { what: 'lifecycle' });
  const simulator = new Simulator(source);
  const operations = new LifecycleOperations(stateOf(simulator), lifecycle.facts);
  const name = request.operations[0]?.function ?? '';
  const response = answerLifecycleCall(operations, {
    args: [utf8(name), ...rawArgs],
    mspid: request.clientMspId,
    isAdmin: request.clientIsAdmin,
    endorsers: lifecycle.endorsers,
    packages: attachments,
  });
  const readWriteSet = simulator.readWriteSet();
  return { ok: true, response, readWriteSet, event: undefined, contractVersion };
}

/** @returns hex SHA-256 of the code, or the label of a key's new version. */
function answerRequest(
  { operations: asked, clientIsAdmin, clientMspId }: SimulatedRequest,
  { endorsers }: LifecycleGrounds,
  operations: LifecycleOperations,
): Uint8Array {
  const [operation, ...others] = asked;
  if (operation === undefined || others.length > 0) {
    throw fault('ENDORSER_DEFINITION_INVALID', { reason: 'one operation in a request' });
  }
  const record = parseRotateOperation(operation);
  // Whoever may ask for it was looked at before: the zone's own administrators may too.
  if (record !== undefined) return utf8(operations.rotate(record));
  if (!clientIsAdmin) throw fault('ENDORSER_ADMIN_REQUIRED');
  const { kind, policyText, codeHash, code, ...named } = parseLifecycleOperation(operation);
  const definition = { ...named, applicationPolicy: parseApplicationPolicyText(policyText) };
  checkDefinition(definition);
  if (kind === 'commit') {
    operations.commit(definition, endorsers, (hash) =>
      equalBytes(hash, codeHash) ? code : undefined,
    );
  } else {
    const foreign = endorsers.find((one) => one !== clientMspId);
    if (foreign !== undefined) throw fault('ENDORSER_APPROVAL_FOREIGN', { mspid: foreign });
    operations.approve(clientMspId, approvedContract(definition, codeHash, ''));
  }
  return utf8(toHex(codeHash));
}

function stateOf(simulator: Simulator): LifecycleState {
  return {
    get: (key) => simulator.get(lifecycleNamespace, key),
    put: ({ key, value }) => simulator.put(lifecycleNamespace, key, value),
    putMetadata: (write) => simulator.putMetadata(lifecycleNamespace, write),
    keys: (prefix) => {
      // "0" is the character after "/": the end of everything below the prefix.
      const end = `${prefix.slice(0, -1)}0`;
      const rows = simulator.range(lifecycleNamespace, prefix, end, limits.rangeResultsMax);
      return rows.map(([key]) => key);
    },
  };
}
