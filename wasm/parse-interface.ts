import { limits, utf8 } from '#base';
import {
  hostFunctions,
  hostModule,
  i32,
  i64,
  initializeExport,
  reservedExportPrefix,
} from './abi.ts';
import type { FunctionType, HostFunctionName, ValueType } from './abi.ts';
import { fault } from './faults.ts';
import type { ModuleShape } from './module-shape.ts';
import type { Reader } from './reader.ts';

export function parseTypes(section: Reader, shape: ModuleShape): void {
  const count = section.count('types', limits.contractTypesMax);
  for (let index = 0; index < count; index += 1) {
    const form = section.u8();
    if (form !== functionForm) throw fault('WASM_FEATURE_REFUSED', { what: `type form ${form}` });
    const params: ValueType[] = [];
    const paramCount = section.count('parameters', limits.contractLocalsMax);
    for (let param = 0; param < paramCount; param += 1)
      params.push(valueType(section, 'parameter'));
    const resultCount = section.u32();
    if (resultCount > 1) throw fault('WASM_FEATURE_REFUSED', { what: 'multi-value', type: index });
    const result = resultCount === 1 ? valueType(section, 'result') : undefined;
    shape.types.push({ params, result });
  }
}

/** @throws WASM_FLOAT_USED, WASM_FEATURE_REFUSED for any type but i32 and i64. */
export function valueType(reader: Reader, where: string): ValueType {
  const byte = reader.u8();
  if (byte === i32 || byte === i64) return byte;
  if (byte === 0x7d || byte === 0x7c) {
    throw fault('WASM_FLOAT_USED', { what: byte === 0x7d ? 'f32' : 'f64', where });
  }
  const what = byte === 0x7b ? 'v128' : `value type 0x${byte.toString(16)}`;
  throw fault('WASM_FEATURE_REFUSED', { what, where });
}

/** The type of a function by its index in the module's function space. */
export function functionTypeOf(shape: ModuleShape, functionIndex: number): FunctionType {
  const typeIndex = shape.functionTypes[functionIndex];
  const type = typeIndex === undefined ? undefined : shape.types[typeIndex];
  if (type !== undefined) return type;
  throw fault('WASM_CODE_MALFORMED', { reason: 'unknown function', functionIndex });
}

export function parseImports(section: Reader, shape: ModuleShape): void {
  const count = section.count('imports', limits.contractFunctionsMax);
  for (let index = 0; index < count; index += 1) {
    const module = section.name();
    const name = section.name();
    const kind = section.u8();
    if (kind !== externKind.function || module !== hostModule || !isHostFunction(name)) {
      throw fault('WASM_IMPORT_UNKNOWN', { module, name, kind: externNames[kind] ?? kind });
    }
    const typeIndex = section.u32();
    const type = shape.types[typeIndex];
    if (type === undefined) throw section.malformed('unknown type');
    if (!sameType(type, hostFunctions[name])) throw fault('WASM_IMPORT_MISTYPED', { name });
    shape.functionTypes.push(typeIndex);
  }
  shape.importCount = count;
}

export function parseFunctions(section: Reader, shape: ModuleShape): void {
  const count = section.count('functions', limits.contractFunctionsMax);
  for (let index = 0; index < count; index += 1) {
    const typeIndex = section.u32();
    if (typeIndex >= shape.types.length) throw section.malformed('unknown type');
    shape.functionTypes.push(typeIndex);
  }
}

export function parseExports(section: Reader, shape: ModuleShape): void {
  const count = section.count('exports', limits.contractFunctionsMax);
  for (let index = 0; index < count; index += 1) {
    const name = section.name();
    const kind = section.u8();
    const target = section.u32();
    if (kind === externKind.function) addFunctionExport(shape, name, target);
    else if (kind === externKind.memory && name === 'memory') shape.exportsMemory = true;
    // Linkers export the addresses of heap and data as globals. Nothing reads them here: they are
    // accepted, and left out of the prepared module.
    else if (kind !== externKind.global) {
      throw fault('WASM_EXPORT_REFUSED', { name, kind: externNames[kind] ?? kind });
    }
  }
}

const functionForm = 0x60;
const externKind = { function: 0, table: 1, memory: 2, global: 3 } as const;
const externNames = ['function', 'table', 'memory', 'global', 'tag'];

function isHostFunction(name: string): name is HostFunctionName {
  return Object.hasOwn(hostFunctions, name);
}

function sameType(a: FunctionType, b: FunctionType): boolean {
  return (
    a.result === b.result &&
    a.params.length === b.params.length &&
    a.params.every((param, index) => param === b.params[index])
  );
}

function addFunctionExport(shape: ModuleShape, name: string, functionIndex: number): void {
  const refuse = (reason: string) => fault('WASM_EXPORT_REFUSED', { name, reason });
  const type = functionTypeOf(shape, functionIndex);
  if (name.startsWith(reservedExportPrefix)) throw refuse('reserved name');
  if (name === '' || utf8(name).length > limits.nameBytes) throw refuse('length of the name');
  if (type.params.length > 0 || type.result !== undefined) throw refuse('not of type () → ()');
  if (shape.exports.has(name)) throw refuse('exported twice');
  if (name === initializeExport) shape.initialize = functionIndex;
  else shape.exports.set(name, functionIndex);
}
