import * as host from './countersign';

/** @returns 32 bytes. */
export function sha256(bytes: Uint8Array): Uint8Array {
  const digest = new Uint8Array(32);
  host.sha256(bytes.dataStart, bytes.length, digest.dataStart);
  return digest;
}
