import * as host from './countersign';
import { takeBytes, takeText } from './transfer';

/** Who asks, and when: the same on every machine that runs the request. */
export namespace Context {
  /** `mspid::subject` of the client that signed the request. */
  export function clientId(): string {
    return takeText(host.clientId());
  }

  export function clientMsp(): string {
    return takeText(host.clientMspId());
  }

  /** Lower-case hex, 64 characters. */
  export function requestId(): string {
    return takeText(host.requestId());
  }

  /** The transaction's time, milliseconds since the Unix epoch. */
  export function timeMs(): i64 {
    return host.timeMs();
  }

  /**
   * What a client of Fabric's gateway sent beside its arguments. It stands in no transaction, so a
   * contract must not let it be worked out from what does.
   *
   * @returns null when nothing of this name was sent, as with every signed request.
   */
  export function transient(name: string): Uint8Array | null {
    const bytes = String.UTF8.encode(name);
    const byteCount = host.transient(changetype<usize>(bytes), bytes.byteLength);
    return byteCount < 0 ? null : takeBytes(byteCount);
  }
}
