/**
 * The instructions a contract may use: the integer part of WebAssembly 1.0, sign extension and bulk
 * memory. Everything else is refused by what it is, not passed by what it is not.
 *
 * @see WebAssembly Core 2.0, section 5.4 (binary format of instructions).
 */
export interface Instruction {
  readonly immediate: Immediate;
  /** Operands taken from and left on the stack; control instructions and calls compute their own. */
  readonly pops: number;
  readonly pushes: number;
}

export type Immediate =
  | 'none'
  | 'i32'
  | 'i64'
  | 'memory-argument'
  | 'memory-index'
  | 'local'
  | 'global'
  | 'function'
  | 'type-and-table'
  | 'block-type'
  | 'label'
  | 'label-table';

export const op = {
  unreachable: 0x00,
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  end: 0x0b,
  br: 0x0c,
  brIf: 0x0d,
  brTable: 0x0e,
  return: 0x0f,
  call: 0x10,
  callIndirect: 0x11,
  localGet: 0x20,
  globalGet: 0x23,
  globalSet: 0x24,
  memorySize: 0x3f,
  memoryGrow: 0x40,
  i32Const: 0x41,
  i64Const: 0x42,
  bulkPrefix: 0xfc,
} as const;

/** Second byte of the instructions behind {@link op.bulkPrefix}. */
export const bulkOp = { memoryInit: 8, dataDrop: 9, memoryCopy: 10, memoryFill: 11 } as const;

/** @returns undefined for an opcode that a contract may not use; see {@link refusedFamily}. */
export function instructionOf(opcode: number): Instruction | undefined {
  return instructions[opcode];
}

/** Names what a refused opcode belongs to, for the author of the contract. */
export function refusedFamily(opcode: number): string {
  return families.find(([first, last]) => opcode >= first && opcode <= last)?.[2] ?? 'reserved';
}

/** Names what a refused instruction behind the bulk prefix belongs to. */
export function refusedBulkFamily(subOpcode: number): string {
  if (subOpcode <= 7) return 'float';
  return subOpcode <= 17 ? 'table' : 'reserved';
}

const families: readonly (readonly [first: number, last: number, family: string])[] = [
  [0x06, 0x0a, 'exception'],
  [0x18, 0x19, 'exception'],
  [0x1f, 0x1f, 'exception'],
  [0x12, 0x13, 'tail-call'],
  [0x14, 0x15, 'function-reference'],
  [0x1c, 0x1c, 'typed-select'],
  [0x25, 0x26, 'table'],
  [0x2a, 0x2b, 'float'],
  [0x38, 0x39, 'float'],
  [0x43, 0x44, 'float'],
  [0x5b, 0x66, 'float'],
  [0x8b, 0xa6, 'float'],
  [0xa8, 0xab, 'float'],
  [0xae, 0xbf, 'float'],
  [0xd0, 0xd6, 'reference'],
  [0xfb, 0xfb, 'garbage-collection'],
  [0xfd, 0xfd, 'simd'],
  [0xfe, 0xfe, 'threads'],
];

const instructions: (Instruction | undefined)[] = Array.from({ length: 256 });

function allow(
  first: number,
  last: number,
  immediate: Immediate,
  pops: number,
  pushes: number,
): void {
  for (let opcode = first; opcode <= last; opcode += 1) {
    instructions[opcode] = { immediate, pops, pushes };
  }
}

allow(0x00, 0x01, 'none', 0, 0); // unreachable, nop
allow(0x02, 0x03, 'block-type', 0, 0); // block, loop
allow(0x04, 0x04, 'block-type', 1, 0); // if
allow(0x05, 0x05, 'none', 0, 0); // else
allow(0x0b, 0x0b, 'none', 0, 0); // end
allow(0x0c, 0x0c, 'label', 0, 0); // br
allow(0x0d, 0x0d, 'label', 1, 0); // br_if
allow(0x0e, 0x0e, 'label-table', 1, 0); // br_table
allow(0x0f, 0x0f, 'none', 0, 0); // return
allow(0x10, 0x10, 'function', 0, 0); // call
allow(0x11, 0x11, 'type-and-table', 1, 0); // call_indirect
allow(0x1a, 0x1a, 'none', 1, 0); // drop
allow(0x1b, 0x1b, 'none', 3, 1); // select
allow(0x20, 0x20, 'local', 0, 1); // local.get
allow(0x21, 0x21, 'local', 1, 0); // local.set
allow(0x22, 0x22, 'local', 1, 1); // local.tee
allow(0x23, 0x23, 'global', 0, 1); // global.get
allow(0x24, 0x24, 'global', 1, 0); // global.set
allow(0x28, 0x29, 'memory-argument', 1, 1); // i32.load, i64.load
allow(0x2c, 0x35, 'memory-argument', 1, 1); // i32.load8_s … i64.load32_u
allow(0x36, 0x37, 'memory-argument', 2, 0); // i32.store, i64.store
allow(0x3a, 0x3e, 'memory-argument', 2, 0); // i32.store8 … i64.store32
allow(0x3f, 0x3f, 'memory-index', 0, 1); // memory.size
allow(0x40, 0x40, 'memory-index', 1, 1); // memory.grow
allow(0x41, 0x41, 'i32', 0, 1); // i32.const
allow(0x42, 0x42, 'i64', 0, 1); // i64.const
allow(0x45, 0x45, 'none', 1, 1); // i32.eqz
allow(0x46, 0x4f, 'none', 2, 1); // i32.eq … i32.ge_u
allow(0x50, 0x50, 'none', 1, 1); // i64.eqz
allow(0x51, 0x5a, 'none', 2, 1); // i64.eq … i64.ge_u
allow(0x67, 0x69, 'none', 1, 1); // i32.clz, ctz, popcnt
allow(0x6a, 0x78, 'none', 2, 1); // i32.add … i32.rotr
allow(0x79, 0x7b, 'none', 1, 1); // i64.clz, ctz, popcnt
allow(0x7c, 0x8a, 'none', 2, 1); // i64.add … i64.rotr
allow(0xa7, 0xa7, 'none', 1, 1); // i32.wrap_i64
allow(0xac, 0xad, 'none', 1, 1); // i64.extend_i32_s, _u
allow(0xc0, 0xc4, 'none', 1, 1); // i32.extend8_s … i64.extend32_s
