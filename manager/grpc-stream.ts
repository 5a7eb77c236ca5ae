import type { ServerDuplexStream, ServerWritableStream } from '@grpc/grpc-js';
import { limits } from '#base';
import type { GrpcCall, GrpcStream } from './grpc-call.ts';
import { CallFailure, grpcCodes } from './grpc-faults.ts';
import { fault } from './faults.ts';

export interface StreamBounds {
  /** How long a client may leave the stream without a request. */
  silenceMsMax: number;
  /** How long a client may take for one message. */
  sendWaitMsMax: number;
}

export type DuplexCall = ServerDuplexStream<Uint8Array, Uint8Array>;
export type OutputCall = ServerWritableStream<Uint8Array, Uint8Array>;

export interface CallStreamOptions {
  mspid: string | undefined;
  requestBytesMax: number;
  /** In place of those in base/limits.ts. */
  bounds?: Partial<StreamBounds>;
}

/** A gRPC stream of bytes, with one message at a time on its way in each direction. */
export class CallStream implements GrpcStream, GrpcCall {
  readonly mspid: string | undefined;
  readonly #call: DuplexCall | OutputCall;
  readonly #requestBytesMax: number;
  readonly #bounds: StreamBounds;
  readonly #requests: AsyncIterator<Uint8Array>;
  readonly #gone = new AbortController();

  constructor(call: DuplexCall | OutputCall, options: CallStreamOptions) {
    this.mspid = options.mspid;
    this.#call = call;
    this.#requestBytesMax = options.requestBytesMax;
    this.#bounds = { ...usualBounds, ...options.bounds };
    this.#requests = requestsOf(call);
    call.once('cancelled', () => this.#gone.abort());
    call.once('close', () => this.#gone.abort());
  }

  get signal(): AbortSignal {
    return this.#gone.signal;
  }

  abort(): void {
    this.#gone.abort();
  }

  async next(): Promise<Uint8Array | undefined> {
    const waitMsMax = this.#bounds.silenceMsMax;
    const next = this.#requests.next();
    const { done, value } = await this.#within(waitMsMax, 'MANAGER_STREAM_SILENT', next);
    if (done === true) return undefined;
    checkRequestSize(value, this.#requestBytesMax);
    return value;
  }

  /** Waits until the client's window took the message, so that no second one is held for it. */
  async send(response: Uint8Array): Promise<void> {
    const taken = new Promise<void>((resolve, reject) => {
      this.#call.write(response, (error?: Error | null) => {
        if (error === undefined || error === null) resolve();
        else reject(error);
      });
    });
    await this.#within(this.#bounds.sendWaitMsMax, 'MANAGER_STREAM_STALLED', taken);
  }

  /** A cancelled call never calls back, so every wait ends with the client as well. */
  #within<Value>(
    waitMsMax: number,
    codeIfLate: 'MANAGER_STREAM_SILENT' | 'MANAGER_STREAM_STALLED',
    awaited: Promise<Value>,
  ): Promise<Value> {
    const { signal } = this.#gone;
    const { promise, resolve, reject } = Promise.withResolvers<Value>();
    const timer = setTimeout(() => reject(fault(codeIfLate, { waitMsMax })), waitMsMax);
    const leave = () => reject(signal.reason as Error);
    signal.addEventListener('abort', leave);
    if (signal.aborted) leave();
    awaited.then(resolve, reject);
    return promise.finally(() => {
      clearTimeout(timer);
      signal.removeEventListener('abort', leave);
    });
  }
}

/** A message that gRPC itself let pass, because another method takes larger ones. */
export function checkRequestSize(request: Uint8Array, bytesMax: number): void {
  if (request.length <= bytesMax) return;
  const sentence = `Received message larger than max (${request.length} vs ${bytesMax})`;
  throw new CallFailure(grpcCodes.resourceExhausted, sentence);
}

const usualBounds: StreamBounds = {
  silenceMsMax: limits.deliverSilenceMsMax,
  sendWaitMsMax: limits.deliverSendWaitMsMax,
};

/** Returning from the iterator must not destroy the stream: a status is still to be sent. */
function requestsOf(call: DuplexCall | OutputCall): AsyncIterator<Uint8Array> {
  if ('iterator' in call) return call.iterator({ destroyOnReturn: false });
  return noRequests();
}

async function* noRequests(): AsyncGenerator<Uint8Array, undefined> {}
