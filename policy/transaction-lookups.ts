/** What validation asks of the ledger below the block that is being validated. */
export interface TransactionLookups {
  /**
   * A contract's committed definition; undefined when there is none. Not asked for `_lifecycle`.
   */
  definition(namespace: string): ContractDefinition | undefined;
  /** Whether any earlier transaction, valid or not, had this id. */
  hasTransaction(txId: string): boolean;
  /** The key's VALIDATION_PARAMETER metadata; undefined when it has none. */
  keyPolicy(namespace: string, key: string): Uint8Array | undefined;
}

export interface ContractDefinition {
  /** protos.ApplicationPolicy bytes. */
  applicationPolicy: Uint8Array;
  /** Validation plugin; stock peers have `vscc` alone. */
  plugin: string;
}
