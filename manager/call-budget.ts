import type { Readable } from 'node:stream';
import { limits } from '#base';
import { fault } from './faults.ts';

/** Bodies of calls in memory: each has its bound, and all together one. */
export class CallBudget {
  readonly #bytesMax: number;
  readonly #bytesByCall = new Map<string, number>();
  #bytes = 0;

  constructor(bytesMax: number = limits.callBytesInFlightMax) {
    this.#bytesMax = bytesMax;
  }

  /**
   * Reads a call's body. What it takes is held until {@link release}.
   *
   * @throws MANAGER_CALL_TOO_LARGE, MANAGER_CALLS_FULL
   */
  async read(callId: string, body: Readable, bytesMax: number): Promise<Uint8Array> {
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    // A refusal must not destroy the connection that it is to be answered on.
    for await (const chunk of chunksOf(body)) {
      bytes += chunk.length;
      if (bytes > bytesMax) throw fault('MANAGER_CALL_TOO_LARGE', { bytesMax });
      this.#take(callId, chunk.length);
      chunks.push(chunk);
    }
    return chunks.length === 1 ? (chunks[0] as Uint8Array) : Buffer.concat(chunks);
  }

  release(callId: string): void {
    this.#bytes -= this.#bytesByCall.get(callId) ?? 0;
    this.#bytesByCall.delete(callId);
  }

  #take(callId: string, bytes: number): void {
    if (this.#bytes + bytes > this.#bytesMax) throw fault('MANAGER_CALLS_FULL');
    this.#bytes += bytes;
    this.#bytesByCall.set(callId, (this.#bytesByCall.get(callId) ?? 0) + bytes);
  }
}

function chunksOf(body: Readable): AsyncIterable<Uint8Array> {
  return body.iterator({ destroyOnReturn: false });
}
