import { emptyBytes, equalBytes, limits } from '#base';
import {
  QueryApprovedChaincodeDefinitionArgs,
  QueryApprovedChaincodeDefinitionResult,
  QueryApprovedChaincodeDefinitionsResult,
  QueryChaincodeDefinitionArgs,
  QueryChaincodeDefinitionResult,
  QueryChaincodeDefinitionsResult,
  approvalOf,
  differences,
  endorsementPlugin,
  lifecycleKeys,
  readApprovals,
  readDefinition,
  validationPlugin,
} from '#formats';
import type { ApprovedContract, StoredDefinition } from '#formats';
import { fault } from './faults.ts';
import type { LifecycleFunction } from './lifecycle-calls.ts';

export const queryApproved: LifecycleFunction = ({ state }, { mspid }, message) => {
  const { name, sequence } = QueryApprovedChaincodeDefinitionArgs.decode(message);
  const approvals = readApprovals(mspid, (key) => state.get(key));
  const wanted = approvals?.contracts.findLast(
    (one) => one.name === name && (sequence === 0n || one.sequence === sequence),
  );
  if (wanted === undefined) {
    throw fault('ENDORSER_APPROVAL_MISSING', {
      reason: `could not fetch approved chaincode definition (name: '${name.slice(0, limits.nameBytes)}', sequence: '${sequence}')`,
    });
  }
  return QueryApprovedChaincodeDefinitionResult.encode(approvedFields(wanted));
};

export const queryAllApproved: LifecycleFunction = ({ state }, { mspid }) => {
  const approvals = readApprovals(mspid, (key) => state.get(key));
  return QueryApprovedChaincodeDefinitionsResult.encode({
    approvedChaincodeDefinitions: (approvals?.contracts ?? []).map((one) => ({
      name: one.name,
      ...approvedFields(one),
    })),
  });
};

export const queryCommitted: LifecycleFunction = ({ state, facts }, _call, message) => {
  const { name } = QueryChaincodeDefinitionArgs.decode(message);
  const definition = readDefinition(name, (key) => state.get(key));
  if (definition === undefined) {
    const reason = `namespace ${name.slice(0, limits.nameBytes)} is not defined`;
    throw fault('ENDORSER_CONTRACT_UNKNOWN', { reason });
  }
  const approvals = facts.organisations.map(({ mspid }) => {
    const all = readApprovals(mspid, (key) => state.get(key));
    const approved = all && approvalOf(all, name, definition.sequence);
    const agrees = approved !== undefined && isInForce(definition, approved);
    return { key: mspid, value: agrees };
  });
  return QueryChaincodeDefinitionResult.encode({ ...committedFields(definition), approvals });
};

export const queryAllCommitted: LifecycleFunction = ({ state }) => {
  const prefix = lifecycleKeys.metadata('');
  const names = state.keys(prefix).map((key) => key.slice(prefix.length));
  const definitions = names.map((name) => readDefinition(name, (key) => state.get(key)));
  return QueryChaincodeDefinitionsResult.encode({
    chaincodeDefinitions: definitions
      .filter((one) => one !== undefined)
      .map((one) => ({ name: one.name, ...committedFields(one) })),
  });
};

function isInForce(definition: StoredDefinition, approved: ApprovedContract): boolean {
  if (differences(definition, approved).length > 0) return false;
  return equalBytes(definition.codeHash ?? emptyBytes, approved.codeHash);
}

function approvedFields({ sequence, version, applicationPolicy, packageId }: ApprovedContract) {
  const source =
    packageId === ''
      ? { unavailable: {}, localPackage: undefined }
      : { unavailable: undefined, localPackage: { packageId } };
  return {
    sequence,
    version,
    endorsementPlugin,
    validationPlugin,
    validationParameter: applicationPolicy,
    collections: emptyBytes,
    initRequired: false,
    source,
  };
}

function committedFields(definition: StoredDefinition) {
  const { sequence, version, applicationPolicy, initRequired } = definition;
  return {
    sequence,
    version,
    endorsementPlugin: definition.endorsementPlugin,
    validationPlugin: definition.validationPlugin,
    validationParameter: applicationPolicy,
    collections: emptyBytes,
    initRequired,
  };
}
