/** Contracts: their code, their packages, and what one execution may take. Units in the names, the reasons beside. */
export const contractLimits = {
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
} as const;
