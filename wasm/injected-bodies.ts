import { limits } from '#base';
import { gasPrice } from './abi.ts';
import { takeGas } from './metered-body.ts';
import type { MeterIndexes } from './metered-body.ts';
import type { ModuleShape } from './module-shape.ts';
import { op } from './opcodes.ts';
import { Writer } from './writer.ts';

/**
 * (gas: i32): gives every mutable global its first value, fills stack and gas, and runs what the
 * contract wants to run first: with globals and memory as at instantiation, every invocation needs it.
 */
export function beginBody(shape: ModuleShape, indexes: MeterIndexes): Uint8Array {
  const code = withoutLocals();
  shape.globals.forEach(({ mutable, init }, index) => {
    if (mutable) code.raw(init).u8(op.globalSet).u32(index);
  });
  code.u8(op.i32Const).s32(limits.contractStackSlotsMax).u8(op.globalSet).u32(indexes.stack);
  code.u8(op.i32Const).s32(0).u8(op.globalSet).u32(indexes.memoryLost);
  code.u8(op.localGet, 0, i64ExtendUnsigned, op.globalSet).u32(indexes.gas);
  if (shape.initialize !== undefined) code.u8(op.call).u32(shape.initialize);
  return code.u8(op.end).finish();
}

/** (gas: i32): takes gas for what a host function does. */
export function chargeBody(indexes: MeterIndexes): Uint8Array {
  const code = withoutLocals();
  takeGas(code, indexes.gas, (amount) => amount.u8(op.localGet, 0, i64ExtendUnsigned));
  return code.u8(op.end).finish();
}

/** (bytes: i32) → bytes: takes gas for a bulk memory instruction of this length. */
export function bulkBody(indexes: MeterIndexes): Uint8Array {
  const code = withoutLocals();
  code.u8(op.localGet, 0, op.i32Const).s32(gasPrice.bulkBytesShift).u8(i32ShiftRightUnsigned);
  code.u8(op.call).u32(indexes.charge);
  return code.u8(op.localGet, 0, op.end).finish();
}

/**
 * (pages: i32) → pages before or -1: memory.grow, priced and with its one outcome on every machine.
 * Above the maximum it is -1; below it, a machine that cannot give the memory must not be taken for
 * a contract that may not have it, so that ends the invocation and is told apart by `memoryLost`.
 */
export function growBody(pagesMax: number, indexes: MeterIndexes): Uint8Array {
  const code = withoutLocals();
  code.u8(op.i32Const).s32(gasPrice.memoryGrow).u8(op.call).u32(indexes.charge);
  code.u8(op.memorySize, 0, i64ExtendUnsigned, op.localGet, 0, i64ExtendUnsigned, i64Add);
  code.u8(op.i64Const).s32(pagesMax).u8(i64GreaterUnsigned, op.if, emptyBlock);
  code.u8(op.i32Const).s32(-1).u8(op.return, op.end);
  code.u8(op.localGet, 0, op.i32Const).s32(gasPrice.memoryPageShift).u8(i32ShiftLeft);
  code.u8(op.call).u32(indexes.charge);
  code.u8(op.localGet, 0, op.memoryGrow, 0, localTee, 0);
  code.u8(op.i32Const).s32(-1).u8(i32Equal, op.if, emptyBlock);
  code.u8(op.i32Const).s32(1).u8(op.globalSet).u32(indexes.memoryLost);
  code.u8(op.unreachable, op.end);
  return code.u8(op.localGet, 0, op.end).finish();
}

const emptyBlock = 0x40;
const localTee = 0x22;
const i32Equal = 0x46;
const i32ShiftLeft = 0x74;
const i32ShiftRightUnsigned = 0x76;
const i64GreaterUnsigned = 0x56;
const i64Add = 0x7c;
const i64ExtendUnsigned = 0xad;

function withoutLocals(): Writer {
  return new Writer().u32(0);
}
