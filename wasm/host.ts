/**
 * What a contract sees of the world: one request's view of one simulation.
 * The endorser implements it over a simulation, the audit mode over a recorded one.
 *
 * Keys are UTF-8 of 1 to `stateKeyBytesMax` bytes, values 1 to `stateValueBytesMax` bytes: both are
 * checked before a call gets here. Returned bytes are read at once and never kept or changed.
 */
export interface HostInterface {
  get(key: string): Uint8Array | undefined;
  put(key: string, value: Uint8Array): void;
  delete(key: string): void;
  /**
   * @param start first key, inclusive; empty means from the first key.
   * @param end last key, exclusive; empty means to the last key.
   * @param limit results at most, 1 to `rangeResultsMax`.
   * @returns in bytewise key order; its iterator's `return` is called when the contract stops early.
   */
  range(start: string, end: string, limit: number): Iterable<readonly [string, Uint8Array]>;
  /** `mspid::subject` of the request's signer. */
  clientId(): string;
  clientMspId(): string;
  requestId(): string;
  /** The transaction's time, milliseconds since the Unix epoch. */
  timeMs(): bigint;
  /** A value that came with the proposal and stands in no transaction; requests have none. */
  transient(name: string): Uint8Array | undefined;
  emit(name: string, payload: Uint8Array): void;
}
