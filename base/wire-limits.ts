/** Links, gRPC, HTTP and the delivery of blocks. Units in the names, the reasons beside. */
export const wireLimits = {
  /** One frame between processes of the zone: a block and its envelope of fields fit. */
  frameBytesMax: 64 * 1024 * 1024,
  /** Calls waiting on one link: past it the other end is stuck. */
  linkCallsInFlightMax: 4_096,
  /** Streams of all peers and tools together. */
  deliverStreamsMax: 2_500,
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
  /** How long a peer may take to say and send its newest block; past it the peer counts as silent. */
  peerAnswerWaitMsMax: 5_000,
  /** Peers are asked again no sooner, however often a reader says that it knows more. */
  peersAskedEveryMsMin: 10_000,
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
} as const;
