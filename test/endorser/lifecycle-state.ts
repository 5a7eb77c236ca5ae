import { utf8 } from '#base';
import {
  ApplicationPolicy,
  ApproveChaincodeDefinitionForMyOrgArgs,
  CommitChaincodeDefinitionArgs,
  SignaturePolicyEnvelope,
} from '#formats';
import type { KvMetadataWrite } from '#formats';
import { parsePolicyText } from '#policy';
import type { LifecycleFacts } from '#policy';
import { answerLifecycleCall } from '../../endorser/lifecycle-calls.ts';
import type { LifecycleAnswer, LifecycleCall } from '../../endorser/lifecycle-calls.ts';
import { LifecycleOperations } from '../../endorser/lifecycle-operations.ts';

const mspids = ['Org1MSP', 'Org2MSP', 'Org3MSP'];

export const facts: LifecycleFacts = {
  organisations: mspids.map((mspid) => ({
    mspid,
    keyPolicy: SignaturePolicyEnvelope.encode(parsePolicyText(`OR('${mspid}.peer')`)),
  })),
  hasEndorsementPolicy: true,
};

export const policy = ApplicationPolicy.encode({
  signaturePolicy: parsePolicyText("AND('Org1MSP.peer', 'Org2MSP.peer')"),
});

/** The state of `_lifecycle`, which keeps what a successful call wrote, and what it wrote last. */
export class LifecycleLedger {
  readonly rows = new Map<string, Uint8Array>();
  metadata: KvMetadataWrite[] = [];
  written = new Map<string, Uint8Array>();

  /** Runs on the state as it is; keeps the writes unless it throws or `keep` says no. */
  simulate<Value>(
    run: (operations: LifecycleOperations) => Value,
    keep: (value: Value) => boolean = () => true,
  ): Value {
    const written = new Map<string, Uint8Array>();
    const metadata: KvMetadataWrite[] = [];
    const state = {
      get: (key: string) => written.get(key) ?? this.rows.get(key),
      put: ({ key, value }: { key: string; value: Uint8Array }) => void written.set(key, value),
      putMetadata: (write: KvMetadataWrite) => void metadata.push(write),
      keys: (prefix: string) =>
        [...this.rows.keys()].filter((key) => key.startsWith(prefix)).toSorted(),
    };
    const value = run(new LifecycleOperations(state, facts));
    if (keep(value)) {
      for (const [key, bytes] of written) this.rows.set(key, bytes);
      this.metadata.push(...metadata);
      this.written = written;
    }
    return value;
  }

  call(name: string, message: Uint8Array, by: Partial<LifecycleCall> = {}): LifecycleAnswer {
    const call = { mspid: 'Org1MSP', isAdmin: true, endorsers: [], packages: [], ...by };
    return this.simulate(
      (operations) => answerLifecycleCall(operations, { args: [utf8(name), message], ...call }),
      ({ status }) => status === 200,
    );
  }
}

type ApproveArgs = Partial<ReturnType<typeof ApproveChaincodeDefinitionForMyOrgArgs.initial>>;

const definition = { name: 'notary', version: '1.0', sequence: 1n, validationParameter: policy };

export function approveArgs(packageId: string, changes: ApproveArgs = {}): Uint8Array {
  const source =
    packageId === '' ? undefined : { unavailable: undefined, localPackage: { packageId } };
  return ApproveChaincodeDefinitionForMyOrgArgs.encode({ ...definition, source, ...changes });
}

export function definitionArgs(changes: Partial<CommitChaincodeDefinitionArgs> = {}): Uint8Array {
  return CommitChaincodeDefinitionArgs.encode({ ...definition, ...changes });
}
