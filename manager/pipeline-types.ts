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

/** Where a client's envelope stands and what validation said of it. */
export interface OrderedEnvelope {
  blockNumber: bigint;
  /** Of the transaction in its block. */
  index: number;
  /** One of `validationCodes`. */
  code: number;
}

/** A client's own envelope on its way; nobody has to wait for either promise. */
export interface EnvelopeSubmission {
  /** The envelope is in a block on disk: it will be in the chain, also after a crash. */
  accepted: Promise<void>;
  /** The block is signed and applied. */
  committed: Promise<OrderedEnvelope>;
}

/** How clients' own envelopes get into blocks. */
export interface EnvelopePipeline {
  /**
   * An envelope whose transaction is on the ledger already is accepted and not ordered again. Both
   * promises reject with the Fault for which an envelope was not ordered.
   *
   * @param envelope common.Envelope bytes.
   * @param options.alone gives it a block of its own, as a configuration must have.
   * @throws MANAGER_ENVELOPE_…, MANAGER_CHANNEL_UNKNOWN, MANAGER_QUEUE_FULL, MANAGER_STOPPING at once.
   */
  submitEnvelope(envelope: Uint8Array, options?: { alone?: boolean }): EnvelopeSubmission;
}
