import type { ServerDuplexStream } from '@grpc/grpc-js';
import type { DeliverStream } from './deliver-session.ts';
import { fault } from './faults.ts';

export interface StreamBounds {
  /** How long a client may leave the stream without a request. */
  silenceMsMax: number;
  /** How long a client may take for one block. */
  sendWaitMsMax: number;
}

/** A gRPC stream of bytes, with one message at a time on its way in each direction. */
export class GrpcDeliverStream implements DeliverStream {
  readonly #call: ServerDuplexStream<Uint8Array, Uint8Array>;
  readonly #bounds: StreamBounds;
  readonly #requests: AsyncIterator<Uint8Array>;
  readonly #gone = new AbortController();

  constructor(call: ServerDuplexStream<Uint8Array, Uint8Array>, bounds: StreamBounds) {
    this.#call = call;
    this.#bounds = bounds;
    // Returning from the iterator must not destroy the stream: a status is still to be sent.
    this.#requests = call.iterator({ destroyOnReturn: false });
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
    return done === true ? undefined : value;
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
