/** Blocks, state and what is remembered of them. Units in the names, the reasons beside. */
export const ledgerLimits = {
  /** Where Fabric's sample configuration cuts a block. */
  transactionsPerBlockMax: 500,
  /** Fabric's AbsoluteMaxBytes in our genesis blocks. */
  envelopeBytesMax: 10 * 1024 * 1024,
  /** A peer's gRPC receive limit is 100 MiB; half of it leaves room for headers and metadata. */
  blockBytesMax: 50 * 1024 * 1024,
  /** A key of the world state: LMDB keys end a little above. */
  stateKeyBytesMax: 1_024,
  /** A value of the world state: documents belong elsewhere, by digest. */
  stateValueBytesMax: 1024 * 1024,
  /** Results of one range query: a peer reads them all again when it validates. */
  rangeResultsMax: 1_000,
  /** A new block file is begun past this; one file is what a scan at start may have to read. */
  ledgerFileBytesMax: 64 * 1024 * 1024,
  /** Free disk below which no block is begun, so that one begun can be sealed and applied. */
  ledgerDiskReserveBytes: 64 * 1024 * 1024,
  /**
   * Table entries that are in memory only, about 400 bytes each, until they go to disk together. More
   * share more pages there, and make that pause and a start after a crash longer.
   */
  ledgerLagEntriesMax: 16_384,
  /** The same in bytes: contracts may write large values. */
  ledgerLagBytesMax: 16 * 1024 * 1024,
  /** Blocks that are in the tables' memory only: what a start after a crash has to replay. */
  ledgerLagBlocksMax: 512,
  /** Evidence tree nodes kept for proofs, about 100 bytes each: some dozen blocks' worth. */
  evidenceNodesCachedMax: 65_536,
  /** Blocks kept decoded for readers: what followers and receipts of the newest blocks ask for. */
  ledgerBlocksCachedMax: 4,
  /** Identities a channel configuration remembers as checked: the active clients and all nodes. */
  identitiesCachedMax: 10_000,
  /** Compiled contract policies, one per policy text in use on the channel. */
  policiesCachedMax: 512,
  /** Bundles kept read for the receipts of their requests; each is of some MiB at most. */
  bundlesCachedMax: 16,
} as const;
