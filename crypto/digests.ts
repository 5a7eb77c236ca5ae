import { createHash, hash } from 'node:crypto';
import type { Hash } from 'node:crypto';
import { markAsUntransferable } from 'node:worker_threads';

/** SHA-256 over the parts, as if they were joined. @returns 32 bytes. */
export function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  return digestOf('sha256', parts);
}

/** What several contents begin with, as the endorsements of one payload do: it is digested once. */
export class SharedStart {
  readonly bytes: Uint8Array;
  #running: Hash | undefined;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** SHA-256 over the start and what follows it. @returns 32 bytes. */
  sha256With(rest: Uint8Array): Uint8Array {
    if (this.bytes.length + rest.length <= scratch.length) return sha256(this.bytes, rest);
    this.#running ??= createHash('sha256').update(this.bytes);
    return keep(this.#running.copy().update(rest).digest('binary'));
  }
}

/** The same as {@link sha256}, in lower-case hex. */
export function sha256Hex(bytes: Uint8Array): string {
  return hash('sha256', bytes, 'hex');
}

/** SM3 (GB/T 32905) over the parts, as if they were joined. @returns 32 bytes. */
export function sm3(...parts: readonly Uint8Array[]): Uint8Array {
  return digestOf('sm3', parts);
}

/**
 * Measured: a digest as a string, written into memory that is there, costs a third of a digest with
 * memory of its own, and the one-shot call a third of a Hash object. Most digests here are of little.
 */
function digestOf(algorithm: string, parts: readonly Uint8Array[]): Uint8Array {
  const [only] = parts;
  if (only !== undefined && parts.length === 1) return keep(hash(algorithm, only, 'binary'));
  let length = 0;
  for (const part of parts) length += part.length;
  if (length > scratch.length) {
    const running = createHash(algorithm);
    for (const part of parts) running.update(part);
    return keep(running.digest('binary'));
  }
  let at = 0;
  for (const part of parts) {
    scratch.set(part, at);
    at += part.length;
  }
  return keep(hash(algorithm, scratch.subarray(0, length), 'binary'));
}

/** What is digested here is public: clients' requests, blocks, tree nodes. */
const scratch = new Uint8Array(4 * 1024);

const digestBytes = 32;
const slabBytes = 256 * digestBytes;
let slab = newSlab();
let slabUsed = 0;

/** Plain views: a Buffer's slice() shares memory where a Uint8Array's copies. */
function keep(digest: string): Uint8Array {
  if (slabUsed === slabBytes) {
    slab = newSlab();
    slabUsed = 0;
  }
  slab.write(digest, slabUsed, digestBytes, 'latin1');
  const view = new Uint8Array(slab.buffer, slabUsed, digestBytes);
  slabUsed += digestBytes;
  return view;
}

function newSlab(): Buffer {
  const made = Buffer.allocUnsafeSlow(slabBytes);
  // Transferring one digest to a worker would take all others away with it.
  markAsUntransferable(made.buffer);
  return made;
}
