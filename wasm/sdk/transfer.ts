import * as host from './countersign';

/** Takes the answer of the given length that the host keeps ready. */
export function takeBytes(byteCount: i32): Uint8Array {
  const bytes = new Uint8Array(byteCount);
  host.read(bytes.dataStart);
  return bytes;
}

/** Takes the answer of the given length that the host keeps ready, as text. */
export function takeText(byteCount: i32): string {
  const buffer = new ArrayBuffer(byteCount);
  host.read(changetype<usize>(buffer));
  return String.UTF8.decode(buffer);
}
