import { equalBytes, toHex } from '#base';
import { lifecycleKeys } from './lifecycle.ts';
import type { ContractDefinition } from './lifecycle.ts';
import type { KvMetadataWrite, KvWrite } from './fabric-rwset.ts';
import { message } from './protobuf.ts';
import type { MessageOf } from './protobuf.ts';
import { bytes, int64, repeatedNested, text } from './protobuf-fields.ts';

/** One definition as one organisation approved it. */
const ApprovedContract = message('countersign.ApprovedContract', {
  name: text(1),
  sequence: int64(2),
  version: text(3),
  /** protos.ApplicationPolicy bytes. */
  applicationPolicy: bytes(4),
  /** SHA-256 of the contract's code, 32 bytes: organisations agree on the code itself. */
  codeHash: bytes(5),
  /** Fabric's id of the installed package the code is from; empty when it came another way. */
  packageId: text(6),
});
export type ApprovedContract = MessageOf<typeof ApprovedContract>;

/** Value of an organisation's approvals key; never empty, for an empty value is a deletion. */
export const Approvals = message('countersign.Approvals', {
  mspid: text(1),
  /** By name, then by sequence, ascending; at most the committed sequence and the next of a name. */
  contracts: repeatedNested(2, () => ApprovedContract),
});
export type Approvals = MessageOf<typeof Approvals>;

/** Name of the metadata that holds a key's own endorsement policy. */
export const validationParameter = 'VALIDATION_PARAMETER';

/** @param get the value of a key of `_lifecycle`. @returns undefined when the key was never made. */
export function readApprovals(
  mspid: string,
  get: (key: string) => Uint8Array | undefined,
): Approvals | undefined {
  const value = get(lifecycleKeys.approvals(mspid));
  return value === undefined ? undefined : Approvals.decode(value);
}

/** What one organisation has approved under a name and a sequence. */
export function approvalOf(
  { contracts }: Approvals,
  name: string,
  sequence: bigint,
): ApprovedContract | undefined {
  return contracts.find((one) => one.name === name && one.sequence === sequence);
}

/**
 * The approvals with one more, without those of the name that no later call can refer to.
 *
 * @param committed the sequence that is in force, 0 for none.
 */
export function withApproval(
  { mspid, contracts }: Approvals,
  approved: ApprovedContract,
  committed: bigint,
): Approvals {
  const others = contracts.filter(
    ({ name, sequence }) =>
      name !== approved.name || (sequence >= committed && sequence !== approved.sequence),
  );
  return { mspid, contracts: [...others, approved].toSorted(byNameAndSequence) };
}

/** Ascending, so that equal approvals are equal bytes. */
export function byNameAndSequence(a: ApprovedContract, b: ApprovedContract): number {
  if (a.name !== b.name) return a.name < b.name ? -1 : 1;
  return a.sequence < b.sequence ? -1 : Number(a.sequence > b.sequence);
}

/** The write with which an organisation approves. */
export function approvalsWrite(approvals: Approvals): KvWrite {
  const key = lifecycleKeys.approvals(approvals.mspid);
  return { key, isDelete: false, value: Approvals.encode(approvals) };
}

/**
 * Makes an organisation's approvals key, empty and under a policy of its own. A majority has to
 * endorse this, in an earlier block than the first approval.
 *
 * @param keyPolicy common.SignaturePolicyEnvelope bytes that name the organisation alone.
 */
export function approvalsCreation(
  mspid: string,
  keyPolicy: Uint8Array,
): { write: KvWrite; metadataWrite: KvMetadataWrite } {
  const write = approvalsWrite({ mspid, contracts: [] });
  const entries = [{ name: validationParameter, value: keyPolicy }];
  return { write, metadataWrite: { key: write.key, entries } };
}

/** Who approved a definition, and the code that they agree on. */
export interface Agreement {
  /** SHA-256; undefined when nobody approved, or as many approved one code as another. */
  codeHash: Uint8Array | undefined;
  /** MSP ids of those who approved the definition with this very code. */
  agreeing: ReadonlySet<string>;
  /** What each organisation approved under the name and sequence, whatever it says. */
  approvals: ReadonlyMap<string, ApprovedContract>;
}

/**
 * Counts approvals of a definition. The code that most approved stands for the definition, because
 * the commit of Fabric's tools does not name code; a draw stands for none.
 */
export function agreementOn(
  definition: Omit<ContractDefinition, 'codeHash'>,
  organisations: readonly string[],
  get: (key: string) => Uint8Array | undefined,
): Agreement {
  const { name, sequence } = definition;
  const approvals = new Map<string, ApprovedContract>();
  const byCode = new Map<string, Set<string>>();
  for (const mspid of organisations) {
    const all = readApprovals(mspid, get);
    const approved = all && approvalOf(all, name, sequence);
    if (approved === undefined) continue;
    approvals.set(mspid, approved);
    if (differences(definition, approved).length > 0) continue;
    const code = toHex(approved.codeHash);
    byCode.set(code, (byCode.get(code) ?? new Set()).add(mspid));
  }
  const [most, second] = [...byCode].toSorted(([, a], [, b]) => b.size - a.size);
  if (most === undefined || most[1].size === second?.[1].size) {
    return { codeHash: undefined, agreeing: new Set(), approvals };
  }
  const [anyone = ''] = most[1];
  return { codeHash: approvals.get(anyone)?.codeHash, agreeing: most[1], approvals };
}

/**
 * What an approval says otherwise than the definition, in the words of Fabric's tools.
 *
 * @see Fabric core/chaincode/lifecycle/lifecycle.go, QueryOrgApprovals of 3.x.
 */
export function differences(
  definition: Pick<ContractDefinition, 'version' | 'applicationPolicy'>,
  approved: ApprovedContract,
): string[] {
  const found: string[] = [];
  if (definition.version !== approved.version) found.push('EndorsementInfo');
  if (!equalBytes(definition.applicationPolicy, approved.applicationPolicy)) {
    found.push('ValidationInfo');
  }
  return found;
}
