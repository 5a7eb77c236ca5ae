/**
 * Ids of events, by which clients say where they were. Fabric has one event per transaction, so that
 * a checkpoint of block and transaction id is enough. A bundle has many: all but the last carry their
 * place after the transaction's id, and the last carries the id alone. After any of them, "after this
 * id" names one place, and after the bundle's own id it is the bundle's end.
 */

/** The id told with one event. @param index among the `count` events of its transaction. */
export function eventId(txId: string, index: number, count: number): string {
  return index === count - 1 ? txId : `${txId}/${index}`;
}

/** Where a client was. */
export interface EventPlace {
  txId: string;
  /** The last event that it had; undefined: it had all of the transaction. */
  index: number | undefined;
}

export function parseEventId(id: string): EventPlace {
  const [, txId, index] = /^([0-9a-f]{64})\/(0|[1-9][0-9]{0,8})$/.exec(id) ?? [];
  if (txId === undefined) return { txId: id, index: undefined };
  return { txId, index: Number(index) };
}
