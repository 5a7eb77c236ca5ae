import assert from 'node:assert/strict';

/** Every bound of the service, in one place: unit in the name, the reason beside it. */
export const limits = {
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
  /** Where Fabric's sample configuration cuts a block. */
  transactionsPerBlockMax: 500,
  /** Transactions of one contract in a block when each carries one request. */
  singleRequestBundlesPerWaveMax: 100,
  /** Fabric's AbsoluteMaxBytes in our genesis blocks. */
  envelopeBytesMax: 10 * 1024 * 1024,
  /** A peer's gRPC receive limit is 100 MiB; half of it leaves room for headers and metadata. */
  blockBytesMax: 50 * 1024 * 1024,
  /** One frame between processes of the zone: a block and its envelope of fields fit. */
  frameBytesMax: 64 * 1024 * 1024,
  /** Calls waiting on one link: past it the other end is stuck. */
  linkCallsInFlightMax: 4_096,
  /** Messages inside messages, where readers recurse: no honest policy comes near. */
  protobufDepthMax: 100,
  /** Values inside values: certificates need about ten. */
  derDepthMax: 16,
  /** Values inside values: a request needs four. */
  jsonDepthMax: 8,
  /** A key of the world state: LMDB keys end a little above. */
  stateKeyBytesMax: 1_024,
  /** A value of the world state: documents belong elsewhere, by digest. */
  stateValueBytesMax: 1024 * 1024,
  /** Results of one range query: a peer reads them all again when it validates. */
  rangeResultsMax: 1_000,
  /** One event: subscribers get it whole. */
  eventBytesMax: 64 * 1024,
  /** Events of one operation, so that none drowns the others of its bundle. */
  eventsPerOperationMax: 64,
  /** What one request may read, write, return and emit: a contract's code and its state value fit. */
  requestOutputBytesMax: 2 * 1024 * 1024,
  /** The same for a bundle; requests past it go into the next one. */
  bundleOutputBytesMax: 4 * 1024 * 1024,
  /** As base64 in one argument of a deployment request. */
  contractCodeBytesMax: 384 * 1024,
  /** A package with the largest code that does not compress. */
  contractPackageBytesMax: 512 * 1024,
  /** Packages of one organisation: it removes old ones before that. */
  installedPackagesMax: 1_000,
  /** A label, a colon and a SHA-256 in hex. */
  packageIdBytesMax: 64 + 1 + 64,
  /** A definition's endorsement policy: a hundred organisations, each by a role. */
  contractPolicyBytesMax: 16 * 1024,
  /** Pages of 64 KiB: 16 MiB for each instance. */
  contractMemoryPagesMax: 256,
  /** What one operation returns; it stands on the ledger. */
  contractResultBytesMax: 64 * 1024,
  /** Shape of a contract's code: compilers stay far below, and every host compiles what is below. */
  contractFunctionsMax: 4_096,
  /** One function's code: contracts are made of small ones. */
  contractFunctionBytesMax: 128 * 1024,
  /** Parameters and locals of one function; WebAssembly's JavaScript API allows 1,000 parameters. */
  contractLocalsMax: 1_000,
  /** Targets of one br_table. */
  contractBranchTableMax: 4_096,
  /** Blocks inside blocks of one function. */
  contractNestingMax: 512,
  /** Globals of one contract. */
  contractGlobalsMax: 1_024,
  /** Data and element segments of one contract. */
  contractSegmentsMax: 4_096,
  /** Functions that are called through a table. */
  contractTableEntriesMax: 4_096,
  /** Function types of one contract. */
  contractTypesMax: 1_024,
  /**
   * Depth of a contract's calls, in operand slots of 8 bytes: 192 KiB, a fifth of the smallest stack
   * a Node thread has, so that the contract's bound is met before the machine's, on every machine.
   */
  contractStackSlotsMax: 24_576,
  /** What a contract says when it refuses: it stands on the ledger. */
  contractMessageBytesMax: 1_024,
  /** Range iterators open at one time in one operation. */
  contractRangesOpenMax: 16,
  /** Gas of one operation, in instructions: about 50 ms of a slow core. */
  operationGasMax: 20_000_000,
  /** Real time after which a worker that does not answer is killed whatever its gas says. */
  contractWaitMsMax: 10_000,
  /** A signature takes milliseconds; past it the token is stuck. */
  signWaitMsMax: 5_000,
  /** A token that answers nothing for so long hangs: its process is killed. */
  signHangMsMax: 2_000,
  /** How long calls wait for the process that takes the place of one that hung or ended. */
  takeoverWaitMsMax: 1_000,
  /** When the standby of a token is started: not in the middle of the start, which needs the processor more. */
  standbyDelayMs: 2_000,
  /** Loading a module, logging in and proving all keys: slow tokens take seconds. */
  tokenOpenWaitMsMax: 10_000,
  /** First wait before a lost token is opened again; doubled each time. */
  tokenRetryWaitMsMin: 50,
  /** Longest wait before a lost token is opened again: it is back within two seconds of its return. */
  tokenRetryWaitMsMax: 500,
  /** Wait before a token is opened again that somebody has to see to: its PIN, its keys. */
  tokenRefusalWaitMs: 5_000,
  /** A token that kept its process for so long was well: its next loss counts as the first. */
  tokenWellMs: 5_000,
  /** Failed signatures of a process, one after the other, before its keys are found anew. */
  tokenFailuresMax: 8,
  /** How often each process of a token makes a signature of its own accord, so that silence is no proof of health. */
  canaryEveryMs: 10_000,
  /** Of the signatures that someone else verifies too, one in so many is verified before it leaves. */
  signaturesPerVerification: 16,
  /** How many signatures are verified one by one after a wrong one. */
  signaturesDistrustedAfterWrong: 10_000,
  /** Processes of one token: past the number of cores a token in software gains nothing. */
  tokenProcessesMax: 16,
  /** Signatures waiting for a session: five seconds of a token that makes 4,000 a second. */
  signQueueDepthMax: 20_000,
  /** Items of one call to a signer host: three for every transaction of a block. */
  signBatchMax: 1_500,
  /** Signing sessions of one host: past it a network HSM gains nothing, and every thread costs 10 MB. */
  signSessionsMax: 64,
  /** Keys of one token: SoftHSM's look-ups take milliseconds from some hundreds of objects on. */
  tokenKeysMax: 64,
  /** Guard records kept before the file is written anew: 32 MB, read in a fraction of a second. */
  guardRecordsMax: 65_536,
  /** Records that are written together: as many blocks as ever wait for one sync. */
  guardBatchMax: 256,
  /** Blocks after which a hardware counter is raised: a TPM's wears out after some hundred thousand. */
  guardRecordsPerEpochMax: 4_096,
  /** One command to a TPM: real ones take up to a second for a write. */
  anchorWaitMsMax: 10_000,
  /** How long the holder of a guard may take to say that it lives before another succeeds it. */
  guardHolderWaitMsMax: 2_000,
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
  /** Streams of all peers and tools together. */
  deliverStreamsMax: 2_500,
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
  /** Signatures remembered as right, about 250 bytes each: what is endorsed and not yet in a block. */
  signaturesRememberedMax: 20_000,
  /** Compiled contract policies, one per policy text in use on the channel. */
  policiesCachedMax: 512,
  /** One policy as text: a hundred nodes' names fit. */
  policyTextBytesMax: 8 * 1024,
  /** Gates inside gates of a policy's text: nobody reads more, and the parser recurses. */
  policyTextDepthMax: 32,
  /** Alternative sets of endorsing nodes that planning keeps, and looks at, per policy rule. */
  planSetsMax: 64,
  /** Sets looked at before those that are kept are chosen. */
  planCandidatesMax: 2_048,
  /** A stock peer opens one; tools a few. One connection must not take every stream. */
  deliverStreamsPerConnectionMax: 100,
  /** As many as streams: a peer opens one of each. */
  deliverConnectionsMax: 2_500,
  /** A signed SeekInfo: a certificate and some numbers. */
  deliverRequestBytesMax: 64 * 1024,
  /** What stock peers receive at most in one message. */
  deliverMessageBytesMax: 100 * 1024 * 1024,
  /** A connection without a stream is closed after it. */
  deliverIdleMsMax: 300_000,
  /** A stream on which nothing was asked for so long is closed. */
  deliverSilenceMsMax: 60_000,
  /** A client that takes no byte of a block for so long loses its connection, and frees the block. */
  deliverSendWaitMsMax: 120_000,
  /** Below the 60 s of stock peers' own pings, so that a vanished one is noticed at all. */
  deliverPingMs: 30_000,
  /** A ping without an answer for so long means the other end is gone (gRPC's own default). */
  deliverPingWaitMsMax: 20_000,
  /** How long a peer may take to reach the source of blocks: TCP and TLS over any distance. */
  deliverConnectWaitMsMax: 10_000,
  /** A peer's first wait before it asks for blocks again: a restart is over soon. */
  deliverRetryWaitMsMin: 100,
  /** Its longest: an outage of hours must not leave peers asleep for minutes. */
  deliverRetryWaitMsMax: 5_000,
  /** One gRPC message of a client: a transaction and the call around it. */
  grpcRequestBytesMax: 11 * 1024 * 1024,
  /** gRPC calls of all clients being answered, most of them waiting for a commit. */
  grpcCallsMax: 20_000,
  /** Calls and streams of one connection: an application's, for all its users. */
  grpcCallsPerConnectionMax: 10_000,
  /** A failure's sentence: it travels percent-encoded in a trailer. */
  grpcMessageBytesMax: 768,
  /** A failure's details, as base64 in a trailer; Java clients take no more than 8 KiB of those. */
  grpcDetailsBytesMax: 3_072,
  /** A call with many requests: several bundles' worth. */
  callBytesMax: 32 * 1024 * 1024,
  /** Bodies of all calls being read or answered; past it the answer is busy. */
  callBytesInFlightMax: 512 * 1024 * 1024,
  /** Open connections of clients; further ones are refused before they cost memory. */
  httpConnectionsMax: 10_000,
  /** Headers of one call: Node's own default. */
  httpHeaderBytesMax: 16 * 1024,
  /** Time to send one whole call; a trickled one ends there. */
  callReceiveMsMax: 30_000,
  /** An idle connection is closed after it. */
  httpKeepAliveMsMax: 30_000,
  /** A connection on which nothing moves for so long is cut: its client does not take its answer. */
  httpSilenceMsMax: 120_000,
  /** How long a call waits for its requests' outcomes before it is told to ask again. */
  answerWaitMsMax: 60_000,
  /** Refusals kept for those who did not wait for them. */
  refusedOutcomesMax: 10_000,
  /** Bundles kept read for the receipts of their requests; each is of some MiB at most. */
  bundlesCachedMax: 16,
  /** Single clients on the whitelist; larger populations are admitted by their organisation. */
  registryClientsMax: 10_000,
  /** Grants of one client: contracts of a channel, several times over. */
  registryGrantsMax: 1_000,
  /** The whitelist file: its most clients with a few grants each. */
  registryBytesMax: 64 * 1024 * 1024,
  /** How stale the whitelist may be: a revoked client is out within it. */
  registryStaleMsMax: 250,
  /** A policy, order, transcript or audit record: each is written for people to read. */
  custodyDocumentBytesMax: 256 * 1024,
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

assert(limits.bundleBytesMax >= limits.requestBytes, 'any request must fit into a bundle');
assert(limits.bundleOperationsMax >= limits.operationsPerRequest, 'any request must fit a bundle');
assert(limits.envelopeBytesMax >= 4 * limits.bundleBytesMax, 'a bundle and its writes must fit');
assert(
  limits.receiptBytesMax > limits.requestBytes + limits.envelopeBytesMax * 1.34,
  'any result must fit into a receipt',
);
assert(
  limits.bundleOutputBytesMax >= limits.requestOutputBytesMax,
  'any request must fit a bundle',
);
assert(
  limits.envelopeBytesMax >= limits.bundleBytesMax + 1.5 * limits.bundleOutputBytesMax,
  'a full bundle must fit into an envelope',
);
assert(limits.blockBytesMax >= limits.envelopeBytesMax, 'any envelope must fit into a block');
assert(limits.frameBytesMax > limits.blockBytesMax, 'any block must fit into a frame');
assert(limits.ledgerFileBytesMax + limits.frameBytesMax < 2 ** 32, 'offsets are 32 bits wide');
assert(limits.requestBytes > limits.argBytes * 1.4, 'a base64url request must carry one full arg');
assert(
  limits.argBytes >= limits.contractCodeBytesMax * 1.33,
  'code must fit an argument as base64',
);
assert(
  limits.frameBytesMax >
    2 *
      (limits.proposalBatchBytesMax + limits.proposalOutputBytesMax + limits.requestOutputBytesMax),
  'any batch of proposals must fit into a frame with its answers',
);
assert(limits.signQueueDepthMax >= limits.signBatchMax, 'any batch must fit into the queue');
assert(
  limits.signWaitMsMax > limits.signHangMsMax + limits.takeoverWaitMsMax,
  'who waits for a signature is served by the process that takes over',
);
assert(limits.callBytesMax >= limits.requestBytes, 'any request must fit into a call');
assert(
  limits.contractPackageBytesMax > limits.contractCodeBytesMax + 64 * 1024,
  'any code must fit into a package',
);
assert(limits.httpSilenceMsMax > limits.answerWaitMsMax, 'an answer that waits is not cut off');
assert(limits.callBytesInFlightMax >= limits.callBytesMax, 'any call must fit');
assert(limits.grpcRequestBytesMax > limits.envelopeBytesMax, 'any envelope must fit a call');
assert(
  3 * limits.grpcMessageBytesMax + 1.4 * (limits.grpcMessageBytesMax + limits.grpcDetailsBytesMax) <
    8_000,
  'any failure must fit into the trailers that clients take',
);
assert(
  limits.grpcDetailsBytesMax > limits.contractMessageBytesMax + 512,
  'what any contract says must fit a detail',
);
assert(limits.deliverMessageBytesMax > limits.blockBytesMax, 'any block must fit a message');
assert(limits.deliverRetryWaitMsMax >= limits.deliverRetryWaitMsMin, 'waits grow');
