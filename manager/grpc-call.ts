/** What the gRPC server asks of a service, and what it tells a service of a call. */

/** One call or stream, as its handler sees it. */
export interface GrpcCall {
  /** The organisation that the endpoint speaks for; undefined at the zone's own. */
  readonly mspid: string | undefined;
  /** Aborted when the client is gone, its deadline has passed, or the service stops. */
  readonly signal: AbortSignal;
}

/** Messages to a client, one at a time on its way. */
export interface GrpcOutput {
  /** Aborted when the client or the service is gone. */
  readonly signal: AbortSignal;
  /** Resolves when the client's connection has taken the bytes. @throws MANAGER_STREAM_STALLED */
  send(response: Uint8Array): Promise<void>;
}

/** Messages both ways. */
export interface GrpcStream extends GrpcOutput {
  /**
   * The client's next message.
   *
   * @returns undefined when the client has closed its half.
   * @throws MANAGER_STREAM_SILENT; CallFailure a message that is too large.
   */
  next(): Promise<Uint8Array | undefined>;
}

/** How a method is called; messages are bytes, which the handler reads. */
export type GrpcMethod = {
  /** Larger messages of a client are refused unread. */
  requestBytesMax: number;
} & (
  | { kind: 'unary'; serve(request: Uint8Array, call: GrpcCall): Promise<Uint8Array> }
  | {
      kind: 'serverStream';
      serve(request: Uint8Array, output: GrpcOutput, call: GrpcCall): Promise<void>;
    }
  | { kind: 'duplex'; serve(stream: GrpcStream, call: GrpcCall): Promise<void> }
);

/** By method, under the service's full name: `{ 'gateway.Gateway': { Evaluate: … } }`. */
export type GrpcServices = Readonly<Record<string, Readonly<Record<string, GrpcMethod>>>>;
