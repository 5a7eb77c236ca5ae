import { latin1Of } from '#base';
import { validationCodes } from '#formats';
import type { Store } from './store.ts';

/** Where a request stands. Key: its id, 32 bytes. */
export interface RequestEntry {
  blockNumber: bigint;
  /** Of its transaction in the block. */
  txIndex: number;
  /** Of the request in its bundle. */
  requestIndex: number;
  /** In the evidence log. */
  leafIndex: bigint;
  /** Its transaction's, one of `validationCodes`. */
  code: number;
}

export function readRequestEntry(store: Store, requestId: Uint8Array): RequestEntry | undefined {
  const stored = store.requests.get(latin1Of(requestId));
  if (stored === undefined) return undefined;
  return {
    blockNumber: stored.readBigUInt64BE(0),
    txIndex: stored.readUInt32BE(8),
    requestIndex: stored.readUInt32BE(12),
    leafIndex: stored.readBigUInt64BE(16),
    code: stored.readUInt8(24),
  };
}

/**
 * A request was executed when its transaction is valid, and the
 * first such place stays; until then the newest attempt is kept.
 */
export function putRequestEntry(store: Store, requestId: Uint8Array, entry: RequestEntry): void {
  const before = readRequestEntry(store, requestId);
  if (before !== undefined && isExecuted(before)) return;
  const stored = Buffer.alloc(25);
  stored.writeBigUInt64BE(entry.blockNumber, 0);
  stored.writeUInt32BE(entry.txIndex, 8);
  stored.writeUInt32BE(entry.requestIndex, 12);
  stored.writeBigUInt64BE(entry.leafIndex, 16);
  stored.writeUInt8(entry.code, 24);
  store.requests.put(latin1Of(requestId), stored);
}

export function isExecuted({ code }: RequestEntry): boolean {
  return code === validationCodes.VALID;
}
