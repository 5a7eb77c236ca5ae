/** Tokens, signing sessions and the guard. Units in the names, the reasons beside. */
export const signingLimits = {
  /** A signature takes milliseconds; past it the token is stuck. */
  signWaitMsMax: 5_000,
  /** A session that answers nothing for so long is stuck: its callers are answered within 100 ms. */
  signStallMsMax: 60,
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
  /** A version of a key that made no signature for so long has signed all that was under way. */
  keyQuietMs: 500,
  /** How long the end of a version waits for that; what is asked of it later is asked of the next one. */
  keyDrainWaitMsMax: 10_000,
  /** How long whoever ends a version waits for the answer: its drain, and a slow token. */
  keyRetireWaitMsMax: 30_000,
  /** How often usage counters are put on record; a crash forgets what came after. */
  keyUsageSaveMs: 60_000,
  /** Keys of one token: SoftHSM's look-ups take milliseconds from some hundreds of objects on. */
  tokenKeysMax: 64,
  /** Guard records kept before the file is written anew: 32 MB, read in a fraction of a second. */
  guardRecordsMax: 65_536,
  /** Records that are written together: as many blocks as ever wait for one sync. */
  guardBatchMax: 256,
  /** Channels of one export of a guard's marks; more than a zone has. */
  guardMarksMax: 1_024,
  /** Blocks after which a hardware counter is raised: a TPM's wears out after some hundred thousand. */
  guardRecordsPerEpochMax: 4_096,
  /** How soon a full file of the signature log raises the counter again: 50,000 times a year at most. */
  anchorEveryMsMin: 600_000,
  /** One command to a TPM: real ones take up to a second for a write. */
  anchorWaitMsMax: 10_000,
  /** How long the holder of a guard may take to say that it lives before another succeeds it. */
  guardHolderWaitMsMax: 2_000,
  /** How often a holder looks whether it was succeeded; one that was has no business with the token. */
  guardLookMs: 500,
  /** Signatures remembered as right, about 250 bytes each: what is endorsed and not yet in a block. */
  signaturesRememberedMax: 20_000,
} as const;
