export type { CommittedTransaction, ReceiptParts, RequestPlace } from './ledger-reads.ts';
export type { Ledger } from './ledger.ts';
export type { Lookups } from './lookups.ts';
export { openLedger } from './open-ledger.ts';
export type { StateChanges } from './state-changes.ts';
export { openStateReader } from './state-reader.ts';
export type { StateReader } from './state-reader.ts';
export type { StateEntry, StateRow } from './state.ts';
export type { CommittedBlock, EvidenceHead, ProposedBlock, Validate } from './writer-types.ts';
