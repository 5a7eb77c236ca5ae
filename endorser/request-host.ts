import type { RequestEvent } from '#formats';
import type { HostInterface } from '#wasm';
import type { SimulatedRequest } from './simulation-messages.ts';
import type { Simulator } from './simulator.ts';

/** What a contract sees while one request of a bundle runs: the simulation, cut to its namespace. */
export class RequestHost implements HostInterface {
  readonly #simulator: Simulator;
  readonly #namespace: string;
  readonly #timeMs: bigint;
  readonly #transient: ReadonlyMap<string, Uint8Array>;
  #request: SimulatedRequest | undefined;
  #requestIndex = 0;
  #events: RequestEvent[] = [];

  constructor(
    simulator: Simulator,
    namespace: string,
    timeMs: bigint,
    transient: ReadonlyMap<string, Uint8Array> = new Map(),
  ) {
    this.#simulator = simulator;
    this.#namespace = namespace;
    this.#timeMs = timeMs;
    this.#transient = transient;
  }

  begin(request: SimulatedRequest, requestIndex: number): void {
    this.#request = request;
    this.#requestIndex = requestIndex;
    this.#events = [];
  }

  /** Bytes of the events the request has emitted so far. */
  get eventBytes(): number {
    return this.#events.reduce((sum, { name, payload }) => sum + name.length + payload.length, 0);
  }

  /** Events of the request that just ended; the caller keeps them only if it succeeded. */
  takeEvents(): RequestEvent[] {
    return this.#events;
  }

  get(key: string): Uint8Array | undefined {
    return this.#simulator.get(this.#namespace, key);
  }

  put(key: string, value: Uint8Array): void {
    this.#simulator.put(this.#namespace, key, value);
  }

  delete(key: string): void {
    this.#simulator.delete(this.#namespace, key);
  }

  range(start: string, end: string, limit: number): Iterable<readonly [string, Uint8Array]> {
    return this.#simulator.range(this.#namespace, start, end, limit);
  }

  clientId(): string {
    return this.request().clientId;
  }

  clientMspId(): string {
    return this.request().clientMspId;
  }

  requestId(): string {
    return this.request().requestId;
  }

  timeMs(): bigint {
    return this.#timeMs;
  }

  transient(key: string): Uint8Array | undefined {
    return this.#transient.get(key);
  }

  emit(name: string, payload: Uint8Array): void {
    this.#events.push({ requestIndex: this.#requestIndex, name, payload: payload.slice() });
  }

  /** The request that runs now. */
  request(): SimulatedRequest {
    if (this.#request === undefined) throw new TypeError('no request has begun');
    return this.#request;
  }
}
