import type { ValueType } from './abi.ts';
import type { BodyShape, Edit } from './module-shape.ts';
import { op } from './opcodes.ts';
import { Writer } from './writer.ts';

/** Where the injected globals and functions stand in the written module. */
export interface MeterIndexes {
  readonly gas: number;
  readonly stack: number;
  readonly memoryLost: number;
  readonly begin: number;
  readonly charge: number;
  readonly bulk: number;
  readonly grow: number;
}

/**
 * Rewrites one body so that it counts what it uses:
 *
 *     stack -= frameSlots; trap when below zero
 *     block (the function's result)
 *       the contract's instructions, gas -= cost before every segment, trap when below zero
 *     end
 *     stack += frameSlots
 *
 * The block stands where the function's own label stood, so that branches keep their depths; a
 * `return` becomes a branch to it. A trap leaves the counters as they are: `begin` sets them anew.
 */
export function meteredBody(
  body: BodyShape,
  result: ValueType | undefined,
  indexes: MeterIndexes,
): Uint8Array {
  const code = new Writer().raw(body.bytes.subarray(0, body.codeOffset));
  takeStack(code, body.frameSlots, indexes.stack);
  code.u8(op.block, result ?? emptyBlock);
  let copied = body.codeOffset;
  for (const edit of body.edits) {
    code.raw(body.bytes.subarray(copied, edit.offset));
    applyEdit(edit, code, indexes);
    copied = edit.offset + replacedBytes[edit.kind];
  }
  code.raw(body.bytes.subarray(copied));
  code.u8(op.globalGet).u32(indexes.stack);
  code.u8(op.i32Const).s32(body.frameSlots).u8(i32Add);
  code.u8(op.globalSet).u32(indexes.stack).u8(op.end);
  return code.finish();
}

/** Writes `gas -= (what the instructions given leave on the stack, an i64)`, trapping below zero. */
export function takeGas(code: Writer, gas: number, amount: (code: Writer) => void): void {
  code.u8(op.globalGet).u32(gas);
  amount(code);
  code.u8(i64Sub, op.globalSet).u32(gas);
  code.u8(op.globalGet).u32(gas);
  code.u8(op.i64Const).s32(0).u8(i64LessSigned);
  code.u8(op.if, emptyBlock, op.unreachable, op.end);
}

const emptyBlock = 0x40;
const i32Add = 0x6a;
const i32Sub = 0x6b;
const i32LessSigned = 0x48;
const i64Sub = 0x7d;
const i64LessSigned = 0x53;

function takeStack(code: Writer, slots: number, stack: number): void {
  code.u8(op.globalGet).u32(stack);
  code.u8(op.i32Const).s32(slots).u8(i32Sub);
  code.u8(op.globalSet).u32(stack);
  code.u8(op.globalGet).u32(stack);
  code.u8(op.i32Const).s32(0).u8(i32LessSigned);
  code.u8(op.if, emptyBlock, op.unreachable, op.end);
}

/** How many bytes of the contract's code an edit stands for. */
const replacedBytes = { charge: 0, return: 1, grow: 2, bulk: 0 } as const;

function applyEdit(edit: Edit, code: Writer, indexes: MeterIndexes): void {
  switch (edit.kind) {
    case 'charge':
      if (edit.cost === 0) break;
      takeGas(code, indexes.gas, (amount) => amount.u8(op.i64Const).s32(edit.cost));
      break;
    case 'return':
      code.u8(op.br).u32(edit.labelDepth);
      break;
    case 'grow':
      code.u8(op.call).u32(indexes.grow);
      break;
    case 'bulk':
      // The length is on top of the stack: the function charges for it and gives it back.
      code.u8(op.call).u32(indexes.bulk);
      break;
  }
}
