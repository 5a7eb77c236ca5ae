import { limits } from '#base';
import { fault } from './faults.ts';
import { emptyShape, sectionId, sectionOrder } from './module-shape.ts';
import type { ModuleShape } from './module-shape.ts';
import { parseBody } from './parse-body.ts';
import { parseExports, parseFunctions, parseImports, parseTypes } from './parse-interface.ts';
import {
  parseData,
  parseElements,
  parseGlobals,
  parseMemory,
  parseTable,
} from './parse-storage.ts';
import { Reader } from './reader.ts';

/**
 * Parses a contract's code and refuses whatever the rules of contracts do not allow.
 * Types of operands are not checked: WebAssembly's own validation does that, on what passes here.
 *
 * @throws WASM_…, kind malformed, naming the offending thing.
 * @see WebAssembly Core 2.0, section 5.5 (modules).
 */
export function parseModule(code: Uint8Array): ModuleShape {
  if (code.length > limits.contractCodeBytesMax) {
    throw fault('WASM_CODE_OVERSIZE', {
      bytes: code.length,
      bytesMax: limits.contractCodeBytesMax,
    });
  }
  const reader = new Reader(code);
  for (const expected of preamble) {
    if (reader.u8() !== expected) throw reader.malformed('not WebAssembly version 1');
  }
  const shape = emptyShape();
  let lastRank = -1;
  while (!reader.atEnd) {
    const id = reader.u8();
    const section = reader.window(reader.u32());
    if (id === sectionId.custom) {
      section.name();
      continue;
    }
    const rank = sectionOrder.indexOf(id);
    if (rank < 0) throw fault('WASM_FEATURE_REFUSED', { what: `section ${id}` });
    if (rank <= lastRank) throw reader.malformed('sections out of order');
    lastRank = rank;
    parseSection(id, section, shape);
    section.expectEnd(`section ${id}`);
  }
  checkWhole(shape);
  return shape;
}

const preamble = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];

function parseSection(id: number, section: Reader, shape: ModuleShape): void {
  const content = section.bytes.subarray(section.offset, section.end);
  switch (id) {
    case sectionId.type:
      return parseTypes(section, shape);
    case sectionId.import:
      keep(id, content, shape);
      return parseImports(section, shape);
    case sectionId.function:
      return parseFunctions(section, shape);
    case sectionId.table:
      keep(id, content, shape);
      return parseTable(section, shape);
    case sectionId.memory:
      return parseMemory(section, shape);
    case sectionId.global:
      return parseGlobals(section, shape);
    case sectionId.export:
      return parseExports(section, shape);
    case sectionId.start:
      throw fault('WASM_START_REFUSED', { functionIndex: section.u32() });
    case sectionId.element:
      keep(id, content, shape);
      return parseElements(section, shape);
    case sectionId.dataCount:
      keep(id, content, shape);
      section.count('data segments', limits.contractSegmentsMax);
      return undefined;
    case sectionId.code:
      return parseCode(section, shape);
    case sectionId.data:
      keep(id, content, shape);
      return parseData(section, shape);
    default:
      throw new TypeError(`section ${id} has an order but no parser`);
  }
}

function keep(id: number, content: Uint8Array, shape: ModuleShape): void {
  shape.verbatim.set(id, content);
}

function parseCode(section: Reader, shape: ModuleShape): void {
  const count = section.count('functions', limits.contractFunctionsMax);
  if (count !== shape.functionTypes.length - shape.importCount) {
    throw section.malformed('functions and bodies differ in number');
  }
  for (let index = 0; index < count; index += 1) {
    const bytes = section.u32();
    if (bytes > limits.contractFunctionBytesMax) {
      const bytesMax = limits.contractFunctionBytesMax;
      throw fault('WASM_SHAPE_OVERSIZE', { what: 'function bytes', bytes, bytesMax });
    }
    shape.bodies.push(parseBody(section.window(bytes), shape, shape.importCount + index));
  }
}

function checkWhole(shape: ModuleShape): void {
  if (shape.bodies.length !== shape.functionTypes.length - shape.importCount) {
    throw fault('WASM_CODE_MALFORMED', { reason: 'functions without bodies' });
  }
  if (shape.memory === undefined) throw fault('WASM_MEMORY_REFUSED', { reason: 'no memory' });
  if (!shape.exportsMemory) throw fault('WASM_EXPORT_MISSING', { name: 'memory' });
  if (shape.exports.size === 0) throw fault('WASM_EXPORT_MISSING', { name: 'a function' });
}
