/** Operators, their orders and the audit log. Units in the names, the reasons beside. */
export const custodyLimits = {
  /** A policy, order, transcript or audit record: each is written for people to read. */
  custodyDocumentBytesMax: 256 * 1024,
  /** An order with its approvals: an audit record holds it whole, as base64. */
  signedOrderBytesMax: 128 * 1024,
  /** Orders to one token whose time-lock runs: they compete for one number, so one is usual. */
  ordersWaitingMax: 16,
  /** Orders that were submitted while another is being carried out: people make them. */
  ordersQueuedMax: 8,
  /** Newest orders that a host tells of; its audit log tells of all. */
  ordersToldMax: 64,
  /** One value of an order's result in the audit log; of a longer one there is its hash. */
  orderResultBytesMax: 4 * 1024,
  /** Values of an order's result. */
  orderResultsMax: 32,
  /** Making keys in a token behind a network takes seconds each. */
  orderWaitMsMax: 120_000,
  /** A checkpoint that the token could not sign is tried again after it. */
  checkpointRetryMs: 1_000,
  /** A signature is covered by a checkpoint within a second; the token needs its time for that, too. */
  signatureCheckpointMs: 500,
  /** Signatures of one record of the signature log: as a line they fit into a custody document. */
  signaturesPerRecordMax: 4_000,
  /** Calls whose signatures are brought to the disk together: as many as ever wait for one sync. */
  signatureGroupMax: 1_024,
  /** A file of the signature log: some 250,000 signatures, read in a second or two at a start. */
  signatureSegmentBytesMax: 16 * 1024 * 1024,
  /** Zeros written ahead of a signature log's records; with a torn line they fit into a document. */
  signatureLogAheadBytes: 64 * 1024,
  /** Lines of a log that no sync confirmed when a crash came: some records and a checkpoint. */
  auditUnsyncedLinesMax: 8,
  /** Operators of one zone. */
  operatorsMax: 32,
  /** A longer valid order would be forgotten before it is used. */
  orderLifetimeSecondsMax: 30 * 24 * 3600,
  /** A certificate chain as PEM fits into one parameter of an order. */
  orderParameterBytesMax: 32 * 1024,
  /** Steps of one key ceremony: some for each of a token's keys. */
  ceremonyStepsMax: 256,
  /** By how much a clock may be corrected backwards before nothing is recorded any more. */
  auditClockSlackMs: 5_000,
} as const;
