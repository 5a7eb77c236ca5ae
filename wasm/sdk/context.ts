import * as host from './countersign';
import { takeText } from './transfer';

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
}
