import { i32, i64, injected } from './abi.ts';
import { meteredBody } from './metered-body.ts';
import type { MeterIndexes } from './metered-body.ts';
import { beginBody, bulkBody, chargeBody, growBody } from './injected-bodies.ts';
import { sectionId, sectionOrder } from './module-shape.ts';
import type { ModuleShape } from './module-shape.ts';
import { op } from './opcodes.ts';
import { Writer } from './writer.ts';

/**
 * Writes the module anew with gas and call depth counted inside it.
 *
 * Added at the ends of their index spaces, so that no index of the contract changes: three globals
 * (gas, stack, memory lost), four functions (begin, charge, bulk, grow) and their types. Custom
 * sections and exported globals are left out, the memory gets a maximum.
 */
export function instrument(shape: ModuleShape): Uint8Array {
  const indexes = meterIndexes(shape);
  const module = new Writer().u8(0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00);
  for (const id of sectionOrder) {
    const content = sectionContent(id, shape, indexes);
    if (content !== undefined) module.u8(id).sized(content);
  }
  return module.finish();
}

const exportFunction = 0x00;
const exportMemory = 0x02;
const exportGlobal = 0x03;

/** The injected functions' types, in the order in which they are appended to the contract's. */
const injectedTypes = [
  { params: [i32], results: [] },
  { params: [i32], results: [i32] },
];

function meterIndexes(shape: ModuleShape): MeterIndexes {
  const global = shape.globals.length;
  const fn = shape.functionTypes.length;
  return {
    gas: global,
    stack: global + 1,
    memoryLost: global + 2,
    begin: fn,
    charge: fn + 1,
    bulk: fn + 2,
    grow: fn + 3,
  };
}

function sectionContent(
  id: number,
  shape: ModuleShape,
  indexes: MeterIndexes,
): Uint8Array | undefined {
  switch (id) {
    case sectionId.type:
      return typeSection(shape);
    case sectionId.function:
      return functionSection(shape);
    case sectionId.table:
      return shape.verbatim.get(id);
    case sectionId.memory:
      return memorySection(shape);
    case sectionId.global:
      return globalSection(shape);
    case sectionId.export:
      return exportSection(shape, indexes);
    case sectionId.code:
      return codeSection(shape, indexes);
    default:
      return shape.verbatim.get(id);
  }
}

function typeSection(shape: ModuleShape): Uint8Array {
  const section = new Writer().u32(shape.types.length + injectedTypes.length);
  const own = shape.types.map(({ params, result }) => ({
    params,
    results: result === undefined ? [] : [result],
  }));
  for (const { params, results } of [...own, ...injectedTypes]) {
    section
      .u8(0x60)
      .u32(params.length)
      .u8(...params);
    section.u32(results.length).u8(...results);
  }
  return section.finish();
}

function functionSection(shape: ModuleShape): Uint8Array {
  const own = shape.functionTypes.slice(shape.importCount);
  const consume = shape.types.length;
  const map = consume + 1;
  const section = new Writer().u32(own.length + 4);
  for (const typeIndex of [...own, consume, consume, map, map]) section.u32(typeIndex);
  return section.finish();
}

function memorySection(shape: ModuleShape): Uint8Array {
  const { pagesMin, pagesMax } = memoryOf(shape);
  return new Writer().u32(1).u8(0x01).u32(pagesMin).u32(pagesMax).finish();
}

function globalSection(shape: ModuleShape): Uint8Array {
  const section = new Writer().u32(shape.globals.length + 3);
  for (const { type, mutable, init } of shape.globals) {
    section
      .u8(type, mutable ? 1 : 0)
      .raw(init)
      .u8(op.end);
  }
  section.u8(i64, 1, op.i64Const, 0, op.end);
  section.u8(i32, 1, op.i32Const, 0, op.end);
  section.u8(i32, 1, op.i32Const, 0, op.end);
  return section.finish();
}

function exportSection(shape: ModuleShape, indexes: MeterIndexes): Uint8Array {
  const rows: [name: string, kind: number, index: number][] = [['memory', exportMemory, 0]];
  for (const [name, index] of shape.exports) rows.push([name, exportFunction, index]);
  rows.push([injected.gas, exportGlobal, indexes.gas]);
  rows.push([injected.stack, exportGlobal, indexes.stack]);
  rows.push([injected.memoryLost, exportGlobal, indexes.memoryLost]);
  rows.push([injected.begin, exportFunction, indexes.begin]);
  rows.push([injected.charge, exportFunction, indexes.charge]);
  const section = new Writer().u32(rows.length);
  for (const [name, kind, index] of rows) {
    section.sized(new TextEncoder().encode(name)).u8(kind).u32(index);
  }
  return section.finish();
}

function codeSection(shape: ModuleShape, indexes: MeterIndexes): Uint8Array {
  const section = new Writer().u32(shape.bodies.length + 4);
  shape.bodies.forEach((body, index) => {
    const typeIndex = shape.functionTypes[shape.importCount + index] as number;
    section.sized(meteredBody(body, shape.types[typeIndex]?.result, indexes));
  });
  section.sized(beginBody(shape, indexes));
  section.sized(chargeBody(indexes));
  section.sized(bulkBody(indexes));
  section.sized(growBody(memoryOf(shape).pagesMax, indexes));
  return section.finish();
}

function memoryOf(shape: ModuleShape): { readonly pagesMin: number; readonly pagesMax: number } {
  if (shape.memory === undefined) throw new TypeError('a parsed contract has a memory');
  return shape.memory;
}
