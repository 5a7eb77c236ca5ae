import type { Fault } from '#base';
import type { RequestEvent, RequestResult, Response } from '#formats';
import type { StateChanges } from '#ledger';
import type { LifecycleFacts } from '#policy';

/**
 * What the endorser's main thread asks of a simulation worker; plain values that can be cloned.
 * `changes` is what the worker's tables lack of the state.
 */
export type WorkerJob = { jobId: number; changes: StateChanges } & (
  ({ kind: 'bundle' } & SimulationJob) | ({ kind: 'calls' } & CallsJob)
);

/** One bundle, whose requests see each other's writes. */
export interface SimulationJob {
  /** Namespace and name of the contract; `_lifecycle` is native. */
  contract: string;
  height: bigint;
  /** The channel header's timestamp, milliseconds. */
  timeMs: bigint;
  requests: SimulatedRequest[];
  /** Set for `_lifecycle`. */
  lifecycle?: LifecycleGrounds;
}

/** What a simulation of `_lifecycle` rests on beside the state. */
export interface LifecycleGrounds {
  facts: LifecycleFacts;
  /** MSP ids of the nodes that are to endorse; empty when only an answer is wanted. */
  endorsers: string[];
}

export interface SimulatedRequest {
  /** Lower-case hex SHA-256 of the JWS signing input. */
  requestId: string;
  clientId: string;
  clientMspId: string;
  clientIsAdmin: boolean;
  operations: { function: string; args: string[] }[];
}

export interface BundleSimulation {
  /** rwset.TxReadWriteSet bytes. */
  readWriteSet: Uint8Array;
  results: RequestResult[];
  events: RequestEvent[];
  /** Version of the definition the simulation ran under. */
  contractVersion: string;
}

/** Calls that know nothing of each other, all on one height. */
export interface CallsJob {
  /** The state must at least be as high. */
  heightMin: bigint;
  calls: ContractCall[];
}

/** One client's proposal, as its contract sees it. */
export interface ContractCall {
  contract: string;
  /** The channel header's timestamp, milliseconds. */
  timeMs: bigint;
  /** Its id is the transaction's; it has one operation. */
  request: SimulatedRequest;
  transient: ReadonlyMap<string, Uint8Array>;
  /** Set for `_lifecycle`, whose arguments are messages: all of them behind the function's name. */
  rawArgs?: readonly Uint8Array[];
  /** What `rawArgs` refer to by SHA-256. */
  attachments?: readonly Uint8Array[];
  /** Set for `_lifecycle`. */
  lifecycle?: LifecycleGrounds;
}

export type CallResult =
  | {
      ok: true;
      response: Response;
      /** rwset.TxReadWriteSet bytes. */
      readWriteSet: Uint8Array;
      /** The last one emitted: a Fabric transaction has one. */
      event: { name: string; payload: Uint8Array } | undefined;
      contractVersion: string;
    }
  | ({ ok: false } & FaultFacts);

/** A Fault as it crosses threads. */
export interface FaultFacts {
  code: string;
  kind: string;
  sentence: string;
  detail: Fault['detail'];
}

export type SimulationAnswer = { jobId: number } & (
  | ({ ok: true; kind: 'bundle' } & BundleSimulation)
  | { ok: true; kind: 'calls'; results: CallResult[] }
  | ({ ok: false } & FaultFacts)
);
