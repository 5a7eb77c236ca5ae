/** What clients send, who they are, and how their requests travel to a block. Units in the names, the reasons beside. */
export const requestLimits = {
  /** One JWS as received: 1,000 operations of 500 bytes fit, or a contract's code; a file never has to. */
  requestBytes: 1024 * 1024,
  /** Requests in one NDJSON call: several bundles, without one caller filling the queue. */
  requestsPerCall: 1_000,
  /** Operations under one client signature (the product's promise). */
  operationsPerRequest: 1_000,
  /** Arguments of one operation: a function with more wants one document instead. */
  argsPerOperation: 64,
  /** One argument: contract code as base64, the largest thing a request carries. */
  argBytes: 512 * 1024,
  /** A channel, contract or function name: Fabric itself stays below. */
  nameBytes: 64,
  /** Client nonce: 16 bytes make a collision hopeless, 64 are enough for anyone. */
  nonceBytesMin: 16,
  /** The request keeps it for ever. */
  nonceBytesMax: 64,
  /** A request may be valid for a day at most, so that a stolen one dies. */
  requestLifetimeSecondsMax: 24 * 3600,
  /** How far ahead of ours a client's clock may be (Fabric's authentication.timewindow is 15 min). */
  clockSkewSecondsMax: 15 * 60,
  /** How far a bundle's time may be from the endorser's: machines of one zone keep time together. */
  taskClockSkewMsMax: 60_000,
  /** Headers of requests remembered as read, half a kilobyte each: one per client that is active. */
  requestHeadersCachedMax: 10_000,
  /** Certificates in an x5c header. */
  x5cCertificatesMax: 4,
  /** One certificate: real ones take 1 to 4 KiB. */
  certificateBytes: 16 * 1024,
  /** Leaf to root. Fabric's CAs use two or three. */
  certificateChainDepthMax: 8,
  /** Signature checks while looking for one chain, so that look-alike CAs cannot burn the CPU. */
  certificateChainChecksMax: 64,
  /** Extensions of one certificate: real ones have about ten. */
  certificateExtensionsMax: 64,
  /** CERTIFICATE blocks in one PEM file: an MSP's roots and intermediates. */
  pemCertificatesMax: 64,
  /** A revocation list with its most entries. */
  crlBytesMax: 4 * 1024 * 1024,
  /** Revoked certificates of one authority; it issues anew before that. */
  crlEntriesMax: 50_000,
  /** Below it RSA is breakable in our lifetime; above it one verification is an attack. */
  rsaBitsMin: 2048,
  /** See `rsaBitsMin`. */
  rsaBitsMax: 8192,
  /** Verifications with an SM2 key before it gets a table of multiples, which costs ten of them. */
  sm2TableAfterUses: 16,
  /** At about 300 KB each. */
  sm2TablesMax: 32,
  /** Requests waiting to be bundled; past it the answer is busy, at once. */
  requestQueueDepthMax: 20_000,
  /** The same queue by size: 20,000 requests of 13 KiB. */
  requestQueueBytesMax: 256 * 1024 * 1024,
  /** Configuration updates that wait for the one before: each changes what the next is judged by. */
  configUpdatesWaitingMax: 16,
  /** Requests in one bundle: nothing is gained past some hundreds. */
  bundleRequestsMax: 1_000,
  /** Operations of one bundle: five of the largest requests. */
  bundleOperationsMax: 5_000,
  /** Requests of one bundle by size, so that its transaction stays far below an envelope. */
  bundleBytesMax: 2 * 1024 * 1024,
  /** Transactions of one contract in a block when each carries one request. */
  singleRequestBundlesPerWaveMax: 100,
  /** Messages inside messages, where readers recurse: no honest policy comes near. */
  protobufDepthMax: 100,
  /** Values inside values: certificates need about ten. */
  derDepthMax: 16,
  /** Values inside values: a request needs four. */
  jsonDepthMax: 8,
  /** One event: subscribers get it whole. */
  eventBytesMax: 64 * 1024,
  /** Events of one operation, so that none drowns the others of its bundle. */
  eventsPerOperationMax: 64,
  /** What one request may read, write, return and emit: a contract's code and its state value fit. */
  requestOutputBytesMax: 2 * 1024 * 1024,
  /** The same for a bundle; requests past it go into the next one. */
  bundleOutputBytesMax: 4 * 1024 * 1024,
  /** One bundle: a killed contract, then its signatures. */
  endorseWaitMsMax: 15_000,
  /** Proposals of clients in one call to an endorser: past some dozens nothing is gained. */
  proposalsPerTaskMax: 256,
  /** What the proposals of one call may come to: they share a frame with their answers. */
  proposalBatchBytesMax: 8 * 1024 * 1024,
  /** What the contracts of one such call write and answer, together; the rest is asked for again. */
  proposalOutputBytesMax: 8 * 1024 * 1024,
  /** How often one bundle is asked for again, elsewhere, before its requests fail. */
  endorseAttemptsMax: 3,
  /** How long an endorser that hung or lied is asked last: one must not hold up every bundle. */
  endorserRestMs: 30_000,
  /** A receipt file: the largest request, and the largest result an envelope can hold, as base64. */
  receiptBytesMax: 16 * 1024 * 1024,
  /** How much longer each time an endorser out of reach is waited for before a bundle fails. */
  endorserReturnWaitMs: 500,
  /** One policy as text: a hundred nodes' names fit. */
  policyTextBytesMax: 8 * 1024,
  /** Gates inside gates of a policy's text: nobody reads more, and the parser recurses. */
  policyTextDepthMax: 32,
  /** Alternative sets of endorsing nodes that planning keeps, and looks at, per policy rule. */
  planSetsMax: 64,
  /** Sets looked at before those that are kept are chosen. */
  planCandidatesMax: 2_048,
  /** Refusals kept for those who did not wait for them. */
  refusedOutcomesMax: 10_000,
  /** Single clients on the whitelist; larger populations are admitted by their organisation. */
  registryClientsMax: 10_000,
  /** Grants of one client: contracts of a channel, several times over. */
  registryGrantsMax: 1_000,
  /** The whitelist file: its most clients with a few grants each. */
  registryBytesMax: 64 * 1024 * 1024,
  /** How stale the whitelist may be: a revoked client is out within it. */
  registryStaleMsMax: 250,
  /** How often the files of TLS certificates are looked at: a new one serves the next connections. */
  tlsLookMs: 1_000,
} as const;
