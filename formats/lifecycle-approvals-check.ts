import { limits } from '#base';
import {
  MspRole,
  OrganizationUnit,
  SerializedIdentity,
  SignaturePolicyEnvelope,
  principalClassifications,
} from './fabric-policies.ts';
import type { MspPrincipal } from './fabric-policies.ts';
import type { KvMetadataWrite, KvRwSet, KvWrite } from './fabric-rwset.ts';
import { fault } from './faults.ts';
import { lifecycleKeys } from './lifecycle.ts';
import { Approvals, byNameAndSequence, validationParameter } from './lifecycle-approvals.ts';
import type { ApprovedContract } from './lifecycle-approvals.ts';
import {
  isApplicationPolicy,
  isContractName,
  isContractVersion,
  isSequence,
  isSignaturePolicy,
} from './lifecycle-check.ts';

const keyPrefix = lifecycleKeys.approvals('');

/** Whether a transaction of `_lifecycle` is about approvals, and not a definition. */
export function isAboutApprovals({ writes, metadataWrites }: KvRwSet): boolean {
  return metadataWrites.length > 0 || writes.some(({ key }) => key.startsWith(keyPrefix));
}

/**
 * Lets two things through: an approval by one organisation, and the making of approvals keys that are
 * not there yet, each under its own organisation's policy.
 *
 * @param mspid whose key is to endorse an approval; the making of keys concerns everybody.
 * @throws FORMATS_DEFINITION_INVALID, FORMATS_PROTOBUF_INVALID, FORMATS_PROTOBUF_NOT_CANONICAL
 */
export function checkApprovalWrites(rwset: KvRwSet, mspid: string): void {
  const { writes, metadataWrites, reads } = rwset;
  if (metadataWrites.length === 0) {
    const [write, ...others] = writes;
    // One organisation's key vouches for that organisation's word alone.
    if (write === undefined || others.length > 0) throw invalid('more than an approval', mspid);
    if (checkedApprovals(write).mspid !== mspid) throw invalid('of another organisation', mspid);
    return;
  }
  if (metadataWrites.length !== writes.length) throw invalid('not a whole creation', mspid);
  for (const [index, write] of writes.entries()) {
    const approvals = checkedApprovals(write);
    if (approvals.contracts.length > 0) throw invalid('created with approvals', write.key);
    const read = reads.find(({ key }) => key === write.key);
    // An existing key would lose what its organisation has approved.
    if (read === undefined || read.version !== undefined) throw invalid('not new', write.key);
    checkKeyPolicy(metadataWrites[index] as KvMetadataWrite, write.key, approvals.mspid);
  }
}

function checkedApprovals({ key, value, isDelete }: KvWrite): Approvals {
  if (isDelete || value.length > limits.stateValueBytesMax) throw invalid('value', key);
  const approvals = Approvals.decodeCanonical(value);
  const { mspid, contracts } = approvals;
  if (mspid === '' || key !== lifecycleKeys.approvals(mspid)) throw invalid('key', key);
  for (const [index, contract] of contracts.entries()) {
    if (!isApproval(contract)) throw invalid('approval', contract.name);
    const before = contracts[index - 1];
    if (before !== undefined && byNameAndSequence(before, contract) >= 0) {
      throw invalid('order', contract.name);
    }
  }
  return approvals;
}

function isApproval(approved: ApprovedContract): boolean {
  const { name, sequence, version, applicationPolicy, codeHash, packageId } = approved;
  const isDefined = isContractName(name) && isSequence(sequence) && isContractVersion(version);
  if (!isDefined || codeHash.length !== 32) return false;
  if (applicationPolicy.length > limits.contractPolicyBytesMax) return false;
  return isApplicationPolicy(applicationPolicy) && packageId.length <= limits.packageIdBytesMax;
}

function checkKeyPolicy({ key, entries }: KvMetadataWrite, writtenKey: string, mspid: string) {
  const [entry, ...others] = entries;
  if (key !== writtenKey || others.length > 0) throw invalid('metadata', key);
  if (entry?.name !== validationParameter) throw invalid('metadata', key);
  const policy = SignaturePolicyEnvelope.decodeCanonical(entry.value);
  if (!isSignaturePolicy(policy) || !namesOnly(policy, mspid)) throw invalid('key policy', key);
}

/** Whether every signer that the policy can ask for is of the organisation. */
export function namesOnly({ identities }: SignaturePolicyEnvelope, mspid: string): boolean {
  return identities.length > 0 && identities.every((one) => organisationOf(one) === mspid);
}

function organisationOf({ principalClassification, principal }: MspPrincipal): string | undefined {
  switch (principalClassification) {
    case principalClassifications.role:
      return MspRole.decode(principal).mspIdentifier;
    case principalClassifications.organizationUnit:
      return OrganizationUnit.decode(principal).mspIdentifier;
    case principalClassifications.identity:
      return SerializedIdentity.decode(principal).mspid;
    default:
      return undefined;
  }
}

function invalid(reason: string, key: string): Error {
  return fault('FORMATS_DEFINITION_INVALID', { reason, key });
}
