import { limits } from '#base';
import { i32, i64 } from './abi.ts';
import { fault } from './faults.ts';
import type { ModuleShape } from './module-shape.ts';
import { op } from './opcodes.ts';
import { valueType } from './parse-interface.ts';
import type { Reader } from './reader.ts';

export function parseTable(section: Reader, shape: ModuleShape): void {
  const count = section.u32();
  if (count > 1) throw fault('WASM_TABLE_REFUSED', { reason: 'more than one', count });
  if (count === 0) return;
  const element = section.u8();
  if (element !== functionReference) {
    throw fault('WASM_FEATURE_REFUSED', { what: `table of 0x${element.toString(16)}` });
  }
  const bounds = limitsOf(section, 'WASM_TABLE_REFUSED');
  if (bounds.min > limits.contractTableEntriesMax) {
    throw fault('WASM_TABLE_REFUSED', { reason: 'too large', entries: bounds.min });
  }
  shape.tableEntries = bounds.min;
}

export function parseMemory(section: Reader, shape: ModuleShape): void {
  const count = section.u32();
  if (count > 1) throw fault('WASM_MEMORY_REFUSED', { reason: 'more than one', count });
  if (count === 0) return;
  const bounds = limitsOf(section, 'WASM_MEMORY_REFUSED');
  const pagesMax = bounds.max ?? limits.contractMemoryPagesMax;
  if (bounds.min > limits.contractMemoryPagesMax || pagesMax > limits.contractMemoryPagesMax) {
    const detail = { pagesMin: bounds.min, pagesMax, limit: limits.contractMemoryPagesMax };
    throw fault('WASM_MEMORY_REFUSED', { reason: 'too large', ...detail });
  }
  shape.memory = { pagesMin: bounds.min, pagesMax };
}

export function parseGlobals(section: Reader, shape: ModuleShape): void {
  const count = section.count('globals', limits.contractGlobalsMax);
  for (let index = 0; index < count; index += 1) {
    const type = valueType(section, `global ${index}`);
    const mutability = section.u8();
    if (mutability > 1) throw section.malformed('bad mutability');
    const start = section.offset;
    const initOp = section.u8();
    if (initOp === op.i32Const && type === i32) section.s32();
    else if (initOp === op.i64Const && type === i64) section.skipS64();
    else throw fault('WASM_FEATURE_REFUSED', { what: 'computed first value', global: index });
    const init = section.bytes.subarray(start, section.offset);
    expectExpressionEnd(section);
    shape.globals.push({ type, mutable: mutability === 1, init });
  }
}

export function parseElements(section: Reader, shape: ModuleShape): void {
  const count = section.count('element segments', limits.contractSegmentsMax);
  for (let index = 0; index < count; index += 1) {
    const flags = section.u32();
    if (flags !== 0) {
      throw fault('WASM_FEATURE_REFUSED', { what: `element segment kind ${flags}`, index });
    }
    const offset = constantOffset(section);
    const entries = section.count('table entries', limits.contractTableEntriesMax);
    for (let entry = 0; entry < entries; entry += 1) section.u32();
    if (offset + entries > (shape.tableEntries ?? 0)) {
      throw fault('WASM_SEGMENT_REFUSED', { what: 'element', index, offset, entries });
    }
  }
}

export function parseData(section: Reader, shape: ModuleShape): void {
  const count = section.count('data segments', limits.contractSegmentsMax);
  const memoryBytes = (shape.memory?.pagesMin ?? 0) * pageBytes;
  for (let index = 0; index < count; index += 1) {
    const flags = section.u32();
    if (flags > passiveFlag)
      throw fault('WASM_FEATURE_REFUSED', { what: `data kind ${flags}`, index });
    const offset = flags === passiveFlag ? 0 : constantOffset(section);
    const bytes = section.u32();
    section.take(bytes);
    // An active segment outside the memory would make every instantiation fail.
    if (flags !== passiveFlag && offset + bytes > memoryBytes) {
      throw fault('WASM_SEGMENT_REFUSED', { what: 'data', index, offset, bytes });
    }
  }
}

export const pageBytes = 65_536;
const functionReference = 0x70;
const passiveFlag = 1;

function limitsOf(
  section: Reader,
  code: 'WASM_TABLE_REFUSED' | 'WASM_MEMORY_REFUSED',
): { min: number; max: number | undefined } {
  const flags = section.u8();
  // Bit 1 is a shared, bit 2 a 64-bit memory or table.
  if (flags > 1) throw fault(code, { reason: `flags ${flags}` });
  const min = section.u32();
  return { min, max: flags === 1 ? section.u32() : undefined };
}

function constantOffset(section: Reader): number {
  if (section.u8() !== op.i32Const) {
    throw fault('WASM_FEATURE_REFUSED', { what: 'computed segment offset' });
  }
  const offset = section.s32() >>> 0;
  expectExpressionEnd(section);
  return offset;
}

function expectExpressionEnd(section: Reader): void {
  if (section.u8() !== op.end) {
    throw fault('WASM_FEATURE_REFUSED', { what: 'extended constant expression' });
  }
}
