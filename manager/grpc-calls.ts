import type { ServerUnaryCall, sendUnaryData } from '@grpc/grpc-js';
import { Fault, limits } from '#base';
import type { Log } from '#base';
import { fault } from './faults.ts';
import type { GrpcCall, GrpcMethod } from './grpc-call.ts';
import { logFailure, statusOf } from './grpc-faults.ts';
import { CallStream, checkRequestSize } from './grpc-stream.ts';
import type { DuplexCall, OutputCall, StreamBounds } from './grpc-stream.ts';

export interface CallBounds extends StreamBounds {
  /** Calls that are answered at once or after a wait. */
  callsMax: number;
  /** Streams of all clients. */
  streamsMax: number;
  streamsPerConnectionMax: number;
}

export type UnaryMethod = Extract<GrpcMethod, { kind: 'unary' }>;
export type StreamMethod = Exclude<GrpcMethod, { kind: 'unary' }>;
export type UnaryCall = ServerUnaryCall<Uint8Array, Uint8Array>;

/** Where a call came in, and as what. */
export interface CallPlace {
  /** As in a request's path. */
  method: string;
  mspid: string | undefined;
  /** Takes the connection from the client at this address, as gRPC tells it. */
  disconnect: (peer: string) => void;
}

/** The bounded number of calls and streams that are open at one time. */
export class GrpcCalls {
  readonly #log: Log;
  readonly #bounds: Partial<CallBounds>;
  readonly #streams = new Set<CallStream>();
  readonly #streamsByPeer = new Map<string, number>();
  readonly #waiting = new Set<UnarySignal>();

  constructor(log: Log, bounds: Partial<CallBounds> = {}) {
    this.#log = log;
    this.#bounds = bounds;
  }

  /** Calls and streams being served. */
  get open(): { calls: number; streams: number } {
    return { calls: this.#waiting.size, streams: this.#streams.size };
  }

  async serveUnary(
    call: UnaryCall,
    answer: sendUnaryData<Uint8Array>,
    method: UnaryMethod,
    place: CallPlace,
  ): Promise<void> {
    const view = new UnarySignal(call, place.mspid);
    const callsMax = this.#bounds.callsMax ?? limits.grpcCallsMax;
    try {
      if (this.#waiting.size >= callsMax) throw fault('MANAGER_CALLS_FULL');
      this.#waiting.add(view);
      checkRequestSize(call.request, method.requestBytesMax);
      const response = await method.serve(call.request, view);
      view.end();
      answer(null, response);
    } catch (error) {
      // Nobody is there to be told; what the handler threw is its signal's reason.
      if (view.aborted) return;
      logFailure(this.#log, place.method, error);
      answer(statusOf(error));
    } finally {
      this.#waiting.delete(view);
    }
  }

  serveStream(call: DuplexCall | OutputCall, method: StreamMethod, place: CallPlace): void {
    const peer = call.getPeer();
    const { requestBytesMax } = method;
    if (this.#isFull(peer)) {
      const full = fault('MANAGER_STREAMS_FULL');
      logFailure(this.#log, place.method, full);
      call.emit('error', statusOf(full));
      return;
    }
    const bounds = this.#bounds;
    const stream = new CallStream(call, { mspid: place.mspid, requestBytesMax, bounds });
    this.#enter(stream, peer);
    void serveWith(method, call, stream)
      .then(() => call.end())
      .catch((error: unknown) => this.#settle(call, stream, error, place))
      .finally(() => this.#leave(stream, peer));
  }

  closeAll(): void {
    for (const stream of this.#streams) stream.abort();
    for (const view of this.#waiting) view.abort();
  }

  #isFull(peer: string): boolean {
    const { streamsMax = limits.deliverStreamsMax, streamsPerConnectionMax } = this.#bounds;
    const perConnection = streamsPerConnectionMax ?? limits.deliverStreamsPerConnectionMax;
    return (
      this.#streams.size >= streamsMax || (this.#streamsByPeer.get(peer) ?? 0) >= perConnection
    );
  }

  #enter(stream: CallStream, peer: string): void {
    this.#streams.add(stream);
    this.#streamsByPeer.set(peer, (this.#streamsByPeer.get(peer) ?? 0) + 1);
  }

  #leave(stream: CallStream, peer: string): void {
    this.#streams.delete(stream);
    const left = (this.#streamsByPeer.get(peer) ?? 1) - 1;
    if (left === 0) this.#streamsByPeer.delete(peer);
    else this.#streamsByPeer.set(peer, left);
  }

  #settle(
    call: DuplexCall | OutputCall,
    stream: CallStream,
    error: unknown,
    place: CallPlace,
  ): void {
    if (stream.signal.aborted) return;
    logFailure(this.#log, place.method, error);
    // What the client left unread would keep the stream, and its message, in memory for ever.
    const stalled = error instanceof Fault && error.code === 'MANAGER_STREAM_STALLED';
    if (stalled) place.disconnect(call.getPeer());
    else call.emit('error', statusOf(error));
  }
}

function serveWith(
  method: StreamMethod,
  call: DuplexCall | OutputCall,
  stream: CallStream,
): Promise<void> {
  if (method.kind === 'duplex') return method.serve(stream, stream);
  return serveOutput(method, (call as OutputCall).request, stream);
}

async function serveOutput(
  method: Extract<GrpcMethod, { kind: 'serverStream' }>,
  request: Uint8Array,
  stream: CallStream,
): Promise<void> {
  checkRequestSize(request, method.requestBytesMax);
  await method.serve(request, stream, stream);
}

/** Most calls are answered before anybody asks whether their client is still there. */
class UnarySignal implements GrpcCall {
  readonly mspid: string | undefined;
  readonly #call: UnaryCall;
  #gone: AbortController | undefined;
  #stopped = false;
  #ended = false;

  constructor(call: UnaryCall, mspid: string | undefined) {
    this.#call = call;
    this.mspid = mspid;
  }

  get aborted(): boolean {
    return this.#stopped || this.#call.cancelled;
  }

  get signal(): AbortSignal {
    if (this.#gone === undefined) {
      const gone = new AbortController();
      this.#gone = gone;
      // It comes at the end of every call, and an abort makes an error with its stack each time.
      this.#call.once('cancelled', () => {
        if (!this.#ended) gone.abort();
      });
      if (this.aborted) gone.abort();
    }
    return this.#gone.signal;
  }

  /** The handler has done its work: nothing of it is left to be aborted. */
  end(): void {
    this.#ended = true;
  }

  abort(): void {
    this.#stopped = true;
    this.#gone?.abort();
  }
}
