import { randomInt } from 'node:crypto';

/** A block file starts with its name and version, 12 bytes, and its salt u32, big-endian. */
export const fileHeadBytes = 16;

const signature = Uint8Array.from(Buffer.from('CSBLOCKS\0\0\0\x01', 'latin1'));

export function encodeFileHead(salt: number): Uint8Array {
  const head = new Uint8Array(fileHeadBytes);
  head.set(signature);
  new DataView(head.buffer).setUint32(signature.length, salt);
  return head;
}

/** @returns the file's salt; undefined when the bytes are no head of a block file. */
export function parseFileHead(bytes: Uint8Array): number | undefined {
  if (bytes.length !== fileHeadBytes) return undefined;
  if (Buffer.compare(bytes.subarray(0, signature.length), signature) !== 0) return undefined;
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(signature.length);
}

/** Unknown outside of this machine: nobody can put a whole frame of this file into a transaction. */
export function newSalt(): number {
  return randomInt(2 ** 32);
}
