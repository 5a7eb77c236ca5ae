import type { Fault } from '#base';
import type { ParsedRequest, RequestResult } from '#formats';

/** A request that may be executed if its signature is right: that is the endorser's to say. */
export interface AdmittedRequest {
  request: ParsedRequest;
  /** The client's X.509 certificate, DER. */
  certificate: Uint8Array;
  /** Set when the request names its key; unset when it carries the certificate. */
  keyId: string | undefined;
}

/** What became of a request. */
export interface RequestOutcome {
  requestId: string;
  state: 'committed' | 'refused';
  result?: RequestResult;
  blockNumber?: bigint;
  txId?: string;
  /** Index of the request in its bundle. */
  requestIndex?: number;
  /** One of `validationCodes`. */
  validationCode?: number;
  /** Set when the request was refused. */
  fault?: Fault;
}

/** Everything between admission and the answer. */
export interface Pipeline {
  /** @throws MANAGER_QUEUE_FULL at once. */
  submit(admitted: AdmittedRequest): Promise<RequestOutcome>;
  isPending(requestId: string): boolean;
}
