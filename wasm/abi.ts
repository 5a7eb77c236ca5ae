/** Module name of the host's functions, and the ABI's version that {@link hostFunctions} states. */
export const hostModule = 'countersign';
export const abiVersion = 1;

export const i32 = 0x7f;
export const i64 = 0x7e;
export type ValueType = typeof i32 | typeof i64;

export interface FunctionType {
  readonly params: readonly ValueType[];
  readonly result: ValueType | undefined;
}

/**
 * ABI version 1: the functions that a contract may import, docs/CONTRACTS.md says what each does.
 * A published row never changes its meaning: the code of contracts is on ledgers for ever.
 */
export const hostFunctions = {
  argCount: { params: [], result: i32 },
  arg: { params: [i32], result: i32 },
  read: { params: [i32], result: undefined },
  get: { params: [i32, i32], result: i32 },
  put: { params: [i32, i32, i32, i32], result: undefined },
  remove: { params: [i32, i32], result: undefined },
  rangeOpen: { params: [i32, i32, i32, i32, i32], result: i32 },
  rangeNext: { params: [i32], result: i32 },
  rangeValue: { params: [i32], result: i32 },
  rangeClose: { params: [i32], result: undefined },
  clientId: { params: [], result: i32 },
  clientMspId: { params: [], result: i32 },
  requestId: { params: [], result: i32 },
  timeMs: { params: [], result: i64 },
  sha256: { params: [i32, i32, i32], result: undefined },
  emit: { params: [i32, i32, i32, i32], result: undefined },
  setResult: { params: [i32, i32], result: undefined },
  fail: { params: [i32, i32], result: undefined },
  transient: { params: [i32, i32], result: i32 },
} as const satisfies Readonly<Record<string, FunctionType>>;

export type HostFunctionName = keyof typeof hostFunctions;

/**
 * An exported function of this name runs before every invocation, metered with it, and cannot be
 * called by clients: it stands for the start function, which would run at instantiation only.
 */
export const initializeExport = '_initialize';

/** What instrumentation adds to every module's exports; contracts may not export this prefix. */
export const reservedExportPrefix = 'countersign_';
export const injected = {
  /** Mutable i64 global: gas left; below zero once it ran out. */
  gas: 'countersign_gas',
  /** Mutable i32 global: operand slots left for calls; below zero once they ran out. */
  stack: 'countersign_stack',
  /** Mutable i32 global: 1 when the machine could not give memory that the bound allows. */
  memoryLost: 'countersign_memory_lost',
  /** (gas: i32) → (): sets every global to its first value and the gas to the given one. */
  begin: 'countersign_begin',
  /** (gas: i32) → (): takes gas, traps when it ran out. */
  charge: 'countersign_charge',
} as const;

/** Prices in gas; one instruction is 1, and so is one declared local at its function's entry. */
export const gasPrice = {
  hostCall: 100,
  stateCall: 1_000,
  /** Bytes per gas of host calls that only copy. */
  copyBytesPerGas: 8,
  memoryGrow: 1_000,
  /** log2 of the gas per page that memory.grow adds. */
  memoryPageShift: 12,
  /** log2 of the bytes per gas of memory.copy, memory.fill and memory.init. */
  bulkBytesShift: 3,
} as const;
