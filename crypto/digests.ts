import { createHash, hash } from 'node:crypto';

/** SHA-256 over the parts, as if they were joined. @returns 32 bytes. */
export function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  return digest('sha256', parts);
}

/** SM3 (GB/T 32905) over the parts, as if they were joined. @returns 32 bytes. */
export function sm3(...parts: readonly Uint8Array[]): Uint8Array {
  return digest('sm3', parts);
}

function digest(algorithm: string, parts: readonly Uint8Array[]): Uint8Array {
  const [only] = parts;
  // The one-shot call costs half of a Hash object, and most digests here are of one part.
  if (only !== undefined && parts.length === 1) return plainBytes(hash(algorithm, only, 'buffer'));
  const running = createHash(algorithm);
  for (const part of parts) running.update(part);
  return plainBytes(running.digest());
}

/** A Buffer's slice() shares memory where a Uint8Array's copies: no Buffer leaves this folder. */
function plainBytes(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
}
