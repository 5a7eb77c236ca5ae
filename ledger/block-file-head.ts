import { randomInt } from 'node:crypto';
import { crc32 } from 'node:zlib';

/**
 * A block file starts with its name and version, 12 bytes, its salt u32 and the CRC-32 of both u32,
 * big-endian. With another salt no frame could be read, and all would look like an unfinished write.
 */
export const fileHeadBytes = 20;

const signature = Uint8Array.from(Buffer.from('CSBLOCKS\0\0\0\x01', 'latin1'));
const saltAt = signature.length;
const crcAt = saltAt + 4;

export function encodeFileHead(salt: number): Uint8Array {
  const head = new Uint8Array(fileHeadBytes);
  const view = new DataView(head.buffer);
  head.set(signature);
  view.setUint32(saltAt, salt);
  view.setUint32(crcAt, crc32(head.subarray(0, crcAt)));
  return head;
}

/** @returns the file's salt; undefined when the bytes are no head of a block file. */
export function parseFileHead(bytes: Uint8Array): number | undefined {
  if (bytes.length !== fileHeadBytes) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  if (Buffer.compare(bytes.subarray(0, saltAt), signature) !== 0) return undefined;
  if (view.getUint32(crcAt) !== crc32(bytes.subarray(0, crcAt))) return undefined;
  return view.getUint32(saltAt);
}

/** Unknown outside of this machine: nobody can put a whole frame of this file into a transaction. */
export function newSalt(): number {
  return randomInt(2 ** 32);
}
