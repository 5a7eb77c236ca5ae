import { latin1Of, utf8 } from '#base';
import { sha256 } from '#crypto';
import type { Store } from './store.ts';

/** Where the transaction with an id stands. */
export interface TransactionPlace {
  blockNumber: bigint;
  /** In its block. */
  index: number;
  /** One of `validationCodes`. */
  code: number;
}

export function readTransactionPlace(store: Store, txId: string): TransactionPlace | undefined {
  const stored = store.transactions.get(transactionKey(txId));
  if (stored === undefined) return undefined;
  return {
    blockNumber: stored.readBigUInt64BE(0),
    index: stored.readUInt32BE(8),
    code: stored.readUInt8(12),
  };
}

/** The first transaction with an id keeps it, valid or not. */
export function putTransactionPlace(store: Store, txId: string, place: TransactionPlace): void {
  const key = transactionKey(txId);
  if (store.transactions.get(key) !== undefined) return;
  const stored = Buffer.alloc(13);
  stored.writeBigUInt64BE(place.blockNumber, 0);
  stored.writeUInt32BE(place.index, 8);
  stored.writeUInt8(place.code, 12);
  store.transactions.put(key, stored);
}

/** An invalid transaction can have any text for an id, of any length: it is hashed. */
function transactionKey(txId: string): string {
  return /^[0-9a-f]{64}$/.test(txId)
    ? Buffer.from(txId, 'hex').toString('latin1')
    : `\0${latin1Of(sha256(utf8(txId)))}`;
}
