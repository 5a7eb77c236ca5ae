import { equalBytes, limits } from '#base';
import {
  agreementOn,
  approvalOf,
  approvalsCreation,
  approvalsWrite,
  definitionWrites,
  differences,
  lifecycleKeys,
  readApprovals,
  readDefinition,
  readRotation,
  withApproval,
} from '#formats';
import type { Agreement, Approvals, ApprovedContract, KvMetadataWrite, KvWrite } from '#formats';
import type { LifecycleFacts } from '#policy';
import { prepareContract } from '#wasm';
import { fault } from './faults.ts';
import { checkDefinition } from './lifecycle-definition.ts';
import type { CodelessDefinition } from './lifecycle-definition.ts';

/** The state of `_lifecycle` under a simulation. */
export interface LifecycleState {
  get(key: string): Uint8Array | undefined;
  put(write: KvWrite): void;
  putMetadata(write: KvMetadataWrite): void;
  /** Keys that begin so, ascending, `limits.rangeResultsMax` at most. */
  keys(prefix: string): string[];
}

/** What both of Fabric's tools and signed requests ask for, on one simulation. */
export class LifecycleOperations {
  readonly state: LifecycleState;
  readonly facts: LifecycleFacts;

  constructor(state: LifecycleState, facts: LifecycleFacts) {
    this.state = state;
    this.facts = facts;
  }

  /** Makes the approvals keys that are not there. @returns whose they are. */
  createKeys(): string[] {
    const missing = this.facts.organisations.filter(
      ({ mspid }) => this.state.get(lifecycleKeys.approvals(mspid)) === undefined,
    );
    for (const { mspid, keyPolicy } of missing) {
      const { write, metadataWrite } = approvalsCreation(mspid, keyPolicy);
      this.state.put(write);
      this.state.putMetadata(metadataWrite);
    }
    return missing.map(({ mspid }) => mspid);
  }

  /**
   * Records that an organisation approves a definition with the code of this hash.
   *
   * @throws ENDORSER_SEQUENCE_WRONG, ENDORSER_DEFINITION_INVALID, ENDORSER_APPROVAL_REPEATED,
   *   ENDORSER_APPROVALS_KEY_MISSING, ENDORSER_APPROVALS_FULL
   * @see Fabric core/chaincode/lifecycle/lifecycle.go, ApproveChaincodeDefinitionForOrg.
   */
  approve(mspid: string, approved: ApprovedContract): void {
    const { name, sequence } = approved;
    const current = readDefinition(name, (key) => this.state.get(key));
    const committed = current?.sequence ?? 0n;
    checkApprovable(sequence, committed);
    checkDefinition(approved);
    const approvals = this.#approvals(mspid);
    const before = approvalOf(approvals, name, sequence);
    if (current !== undefined && sequence === committed) {
      const isSame = differences(current, approved).length === 0;
      if (!isSame || !equalBytes(current.codeHash ?? new Uint8Array(0), approved.codeHash)) {
        throw fault('ENDORSER_DEFINITION_INVALID', {
          reason:
            `attempted to redefine the current committed sequence (${committed}) for namespace ` +
            `${name} with different parameters`,
        });
      }
    }
    if (before !== undefined && isUnchanged(before, approved)) {
      const which = sequence === committed ? 'the current committed' : 'uncommitted';
      throw fault('ENDORSER_APPROVAL_REPEATED', {
        reason:
          `attempted to redefine ${which} sequence (${sequence}) for namespace ${name} ` +
          'with unchanged content',
      });
    }
    const write = approvalsWrite(withApproval(approvals, approved, committed));
    if (write.value.length > limits.stateValueBytesMax) throw fault('ENDORSER_APPROVALS_FULL');
    this.state.put(write);
  }

  /**
   * Who has approved the definition that would be the next one of its name.
   *
   * @throws ENDORSER_SEQUENCE_WRONG
   */
  readiness(definition: CodelessDefinition): Agreement {
    const { name, sequence } = definition;
    const current = readDefinition(name, (key) => this.state.get(key));
    const next = (current?.sequence ?? 0n) + 1n;
    if (sequence !== next) {
      throw fault('ENDORSER_SEQUENCE_WRONG', {
        reason: `requested sequence is ${sequence}, but new definition must be sequence ${next}`,
      });
    }
    const organisations = this.facts.organisations.map(({ mspid }) => mspid);
    return agreementOn(definition, organisations, (key) => this.state.get(key));
  }

  /**
   * Puts a definition and its code in force.
   *
   * @param endorsers MSP ids of those who are to endorse it; each must have approved it.
   * @param codeOf the code of a hash, where the ledger does not have it.
   * @returns MSP ids of those who may endorse it.
   * @throws ENDORSER_SEQUENCE_WRONG, ENDORSER_DEFINITION_INVALID, ENDORSER_APPROVAL_MISSING,
   *   ENDORSER_CODE_MISSING; WASM_… the code is no contract.
   */
  commit(
    definition: CodelessDefinition,
    endorsers: readonly string[],
    codeOf: (hash: Uint8Array) => Uint8Array | undefined,
  ): string[] {
    const { codeHash, agreeing } = this.readiness(definition);
    const refusing = endorsers.find((mspid) => !agreeing.has(mspid));
    if (codeHash === undefined || refusing !== undefined) {
      const who = refusing === undefined ? 'any organization' : `this org (${refusing})`;
      throw fault('ENDORSER_APPROVAL_MISSING', {
        reason: `chaincode definition not agreed to by ${who}`,
      });
    }
    checkDefinition(definition);
    const isOnLedger = this.state.get(lifecycleKeys.code(codeHash)) !== undefined;
    const code = isOnLedger ? undefined : codeOf(codeHash);
    if (!isOnLedger) {
      if (code === undefined) {
        throw fault('ENDORSER_CODE_MISSING', {
          reason: 'the approved chaincode package is not installed',
        });
      }
      // Refuses what a peer could not run the same way: floats, foreign imports, unbounded memory.
      prepareContract(code);
    }
    for (const write of definitionWrites({ ...definition, codeHash }, code)) this.state.put(write);
    return [...agreeing];
  }

  /**
   * Records that a new version takes a key's place. Its signatures and certificates were verified
   * before; here it has to follow the version that the ledger knows.
   *
   * @returns the new version's label.
   * @throws ENDORSER_ROTATION_STALE
   */
  rotate(record: Uint8Array): string {
    const { key, old, next } = readRotation(record);
    const stateKey = lifecycleKeys.rotation(key);
    const before = this.state.get(stateKey);
    // Whoever lost the answer brings the same record again.
    if (before !== undefined && equalBytes(before, record)) return next.label;
    const known = before === undefined ? undefined : readRotation(before).next;
    const follows =
      known === undefined
        ? old.version === 1
        : equalBytes(known.serializedIdentity, old.serializedIdentity) &&
          known.version === old.version;
    if (!follows) throw fault('ENDORSER_ROTATION_STALE', { key, version: next.version });
    this.state.put({ key: stateKey, isDelete: false, value: record });
    return next.label;
  }

  #approvals(mspid: string): Approvals {
    const approvals = readApprovals(mspid, (key) => this.state.get(key));
    if (approvals === undefined) throw fault('ENDORSER_APPROVALS_KEY_MISSING', { mspid });
    return approvals;
  }
}

function checkApprovable(requested: bigint, committed: bigint): void {
  const wrong = (reason: string) => fault('ENDORSER_SEQUENCE_WRONG', { reason });
  if (requested === 0n && committed === 0n) {
    throw wrong('requested sequence is 0, but first definable sequence number is 1');
  }
  if (requested < committed) {
    throw wrong(
      `currently defined sequence ${committed} is larger than requested sequence ${requested}`,
    );
  }
  if (requested > committed + 1n) {
    throw wrong(
      `requested sequence ${requested} is larger than the next available sequence number ${committed + 1n}`,
    );
  }
}

function isUnchanged(before: ApprovedContract, after: ApprovedContract): boolean {
  return (
    differences(before, after).length === 0 &&
    before.packageId === after.packageId &&
    equalBytes(before.codeHash, after.codeHash)
  );
}
