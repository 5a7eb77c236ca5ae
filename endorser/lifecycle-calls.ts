import { Fault, emptyBytes, equalBytes, limits } from '#base';
import { sha256 } from '#crypto';
import {
  ApproveChaincodeDefinitionForMyOrgArgs,
  CheckCommitReadinessResult,
  CommitChaincodeDefinitionArgs,
  differences,
  isPackageOf,
  parseContractPackage,
} from '#formats';
import { prepareContract } from '#wasm';
import { fault } from './faults.ts';
import { approvedContract, completeDefinition } from './lifecycle-definition.ts';
import type { LifecycleOperations } from './lifecycle-operations.ts';
import {
  queryAllApproved,
  queryAllCommitted,
  queryApproved,
  queryCommitted,
} from './lifecycle-queries.ts';

/** A call to `_lifecycle` as Fabric's tools make it, and what it comes with. */
export interface LifecycleCall {
  /** Chaincode arguments: a function's name and its one message. */
  args: readonly Uint8Array[];
  mspid: string;
  isAdmin: boolean;
  /** MSP ids of the nodes that are to endorse; empty when only an answer is wanted. */
  endorsers: readonly string[];
  /** Contract packages that the call may refer to. */
  packages: readonly Uint8Array[];
}

export interface LifecycleAnswer {
  /** 200, or Fabric's status of a refusal. */
  status: number;
  message: string;
  payload: Uint8Array;
}

export type LifecycleFunction = (
  operations: LifecycleOperations,
  call: LifecycleCall,
  message: Uint8Array,
) => Uint8Array;

interface Row {
  run: LifecycleFunction;
  /** Whether only an administrator of the organisation may call it. */
  adminOnly: boolean;
}

/**
 * Does what a stock peer's `_lifecycle` does, with Fabric's statuses and sentences. Writes of a call
 * that is refused must be dropped.
 *
 * @see Fabric core/chaincode/lifecycle/scc.go.
 */
export function answerLifecycleCall(
  operations: LifecycleOperations,
  call: LifecycleCall,
): LifecycleAnswer {
  const [name, message, ...rest] = call.args;
  if (name === undefined) return refusal('lifecycle scc must be invoked with arguments');
  if (message === undefined || rest.length > 0) {
    return refusal(
      `lifecycle scc operations require exactly two arguments but received ${call.args.length}`,
    );
  }
  const functionName = Buffer.from(name.subarray(0, limits.nameBytes)).toString('utf8');
  const row = functions.get(functionName);
  const denied =
    row === undefined ? `Unmapped policy for _lifecycle/${functionName}` : aclOf(row, call);
  if (row === undefined || denied !== undefined) {
    return refusal(`Failed to authorize invocation due to failed ACL check: ${denied}`);
  }
  try {
    return { status: 200, message: '', payload: row.run(operations, call, message) };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    const reason = error.detail['reason'] ?? error.message;
    // Fabric's answer for what is not there carries the bare sentence.
    if (error.code === 'ENDORSER_CONTRACT_UNKNOWN') return refusal(String(reason), 404);
    return refusal(`failed to invoke backing implementation of '${functionName}': ${reason}`);
  }
}

function refusal(message: string, status = 500): LifecycleAnswer {
  return { status, message, payload: emptyBytes };
}

/** Fabric's local policy Admins: an administrator of the very organisation whose peer is asked. */
function aclOf({ adminOnly }: Row, { mspid, isAdmin, endorsers }: LifecycleCall) {
  if (!adminOnly) return undefined;
  const foreign = endorsers.find((one) => one !== mspid);
  if (isAdmin && foreign === undefined) return undefined;
  return (
    "Failed verifying that proposal's creator satisfies local MSP principal during channelless check " +
    `policy with policy [Admins]: [The identity is not an admin under this MSP [${foreign ?? mspid}]]`
  );
}

const approve: LifecycleFunction = (operations, { mspid, packages }, message) => {
  const { source, ...asked } = ApproveChaincodeDefinitionForMyOrgArgs.decode(message);
  const definition = completeDefinition(asked, operations.facts);
  const packageId = source?.localPackage?.packageId ?? '';
  operations.approve(
    mspid,
    approvedContract(definition, codeHashOf(packageId, packages), packageId),
  );
  return emptyBytes;
};

/** What is approved is the code, so it has to be there and be a contract. */
function codeHashOf(packageId: string, packages: readonly Uint8Array[]): Uint8Array {
  if (packageId === '') {
    throw fault('ENDORSER_CODE_MISSING', {
      reason: 'a package ID is required: organizations approve the code itself',
    });
  }
  const found = packages.find((bytes) => isPackageOf(packageId, bytes));
  if (found === undefined) {
    const reason = `chaincode install package '${packageId.slice(0, limits.packageIdBytesMax)}' not found`;
    throw fault('ENDORSER_CODE_MISSING', { reason });
  }
  const { code } = parseContractPackage(found);
  prepareContract(code);
  return sha256(code);
}

const checkReadiness: LifecycleFunction = (operations, _call, message) => {
  const asked = CommitChaincodeDefinitionArgs.decode(message);
  const definition = completeDefinition(asked, operations.facts);
  const { agreeing, approvals } = operations.readiness(definition);
  const mismatches = new Map<string, { items: string[] }>();
  const mspids = operations.facts.organisations.map(({ mspid }) => mspid);
  for (const mspid of mspids.filter((one) => !agreeing.has(one))) {
    const approved = approvals.get(mspid);
    const items =
      approved === undefined ? ['ChaincodeParameters'] : differences(definition, approved);
    // The code is nothing that Fabric's organisations compare, so its tools have no word for it.
    mismatches.set(mspid, { items: items.length > 0 ? items : ['Code'] });
  }
  return CheckCommitReadinessResult.encode({
    approvals: mspids.map((mspid) => ({ key: mspid, value: agreeing.has(mspid) })),
    mismatches,
  });
};

const commit: LifecycleFunction = (operations, { endorsers, packages }, message) => {
  const asked = CommitChaincodeDefinitionArgs.decode(message);
  const definition = completeDefinition(asked, operations.facts);
  operations.commit(definition, endorsers, (hash) =>
    packages
      .map((bytes) => parseContractPackage(bytes).code)
      .find((code) => equalBytes(sha256(code), hash)),
  );
  return emptyBytes;
};

/** @see Fabric core/aclmgmt/defaultaclprovider.go for who may call what. */
const functions = new Map<string, Row>([
  ['ApproveChaincodeDefinitionForMyOrg', { run: approve, adminOnly: true }],
  ['QueryApprovedChaincodeDefinition', { run: queryApproved, adminOnly: true }],
  ['QueryApprovedChaincodeDefinitions', { run: queryAllApproved, adminOnly: true }],
  ['CheckCommitReadiness', { run: checkReadiness, adminOnly: false }],
  ['CommitChaincodeDefinition', { run: commit, adminOnly: false }],
  ['QueryChaincodeDefinition', { run: queryCommitted, adminOnly: false }],
  ['QueryChaincodeDefinitions', { run: queryAllCommitted, adminOnly: false }],
]);
