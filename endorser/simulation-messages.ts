import type { Fault } from '#base';
import type { RequestEvent, RequestResult } from '#formats';

/** What the endorser's main thread asks of a simulation worker; plain values that can be cloned. */
export interface SimulationJob {
  jobId: number;
  /** Namespace and name of the contract; `_lifecycle` is native. */
  contract: string;
  height: bigint;
  /** The channel header's timestamp, milliseconds. */
  timeMs: bigint;
  requests: SimulatedRequest[];
}

export interface SimulatedRequest {
  /** Lower-case hex SHA-256 of the JWS signing input. */
  requestId: string;
  clientId: string;
  clientMspId: string;
  clientIsAdmin: boolean;
  operations: { function: string; args: string[] }[];
}

export type SimulationAnswer =
  | {
      jobId: number;
      ok: true;
      /** rwset.TxReadWriteSet bytes. */
      readWriteSet: Uint8Array;
      results: RequestResult[];
      events: RequestEvent[];
      /** Version of the definition the simulation ran under. */
      contractVersion: string;
    }
  | {
      jobId: number;
      ok: false;
      code: string;
      kind: string;
      sentence: string;
      detail: Fault['detail'];
    };
