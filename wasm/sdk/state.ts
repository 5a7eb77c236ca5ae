import * as host from './countersign';
import { takeBytes, takeText } from './transfer';

/** The contract's part of the world state. Keys: 1 to 1,024 bytes of UTF-8, in bytewise order. */
export namespace State {
  /** @returns null when there is no such key. */
  export function get(key: string): Uint8Array | null {
    const name = String.UTF8.encode(key);
    const byteCount = host.get(changetype<usize>(name), name.byteLength);
    return byteCount < 0 ? null : takeBytes(byteCount);
  }

  /** @returns null when there is no such key. */
  export function getText(key: string): string | null {
    const name = String.UTF8.encode(key);
    const byteCount = host.get(changetype<usize>(name), name.byteLength);
    return byteCount < 0 ? null : takeText(byteCount);
  }

  export function has(key: string): bool {
    const name = String.UTF8.encode(key);
    return host.get(changetype<usize>(name), name.byteLength) >= 0;
  }

  /** @param value 1 byte at least: an empty value is refused. */
  export function put(key: string, value: Uint8Array): void {
    const name = String.UTF8.encode(key);
    host.put(changetype<usize>(name), name.byteLength, value.dataStart, value.length);
  }

  export function putText(key: string, value: string): void {
    const name = String.UTF8.encode(key);
    const text = String.UTF8.encode(value);
    host.put(changetype<usize>(name), name.byteLength, changetype<usize>(text), text.byteLength);
  }

  export function remove(key: string): void {
    const name = String.UTF8.encode(key);
    host.remove(changetype<usize>(name), name.byteLength);
  }

  /**
   * Opens the keys from `start` to before `end`; empty bounds are open ones.
   * @param limit 1 to 1,000 results.
   */
  export function range(start: string, end: string, limit: i32 = 1000): Range {
    const from = String.UTF8.encode(start);
    const to = String.UTF8.encode(end);
    const handle = host.rangeOpen(
      changetype<usize>(from),
      from.byteLength,
      changetype<usize>(to),
      to.byteLength,
      limit,
    );
    return new Range(handle);
  }
}

/** `while (range.next()) … range.key … range.value()`. One that came to its end is closed. */
export class Range {
  key: string = '';
  private handle: i32;

  constructor(handle: i32) {
    this.handle = handle;
  }

  next(): bool {
    const keyBytes = host.rangeNext(this.handle);
    if (keyBytes < 0) return false;
    this.key = takeText(keyBytes);
    return true;
  }

  value(): Uint8Array {
    return takeBytes(host.rangeValue(this.handle));
  }

  /** Only for a range that is left before its end; what was not read is not part of the transaction. */
  close(): void {
    host.rangeClose(this.handle);
  }
}
