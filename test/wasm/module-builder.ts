import { Writer } from '../../wasm/writer.ts';

/** Value types and instructions as bytes, for modules that no compiler would write. */
export const i32 = 0x7f;
export const i64 = 0x7e;
export const end = 0x0b;

export interface FunctionPart {
  readonly type?: number;
  /** Groups of (count, type). */
  readonly locals?: readonly (readonly [count: number, type: number])[];
  /** Instructions without the last `end`. */
  readonly code: readonly number[];
}

export interface ModuleParts {
  /** Type 0 is () → (); these follow it. */
  readonly types?: readonly { params: readonly number[]; results: readonly number[] }[];
  readonly imports?: readonly { module?: string; name: string; type?: number; kind?: number }[];
  /** The first is exported as `run`. */
  readonly functions?: readonly FunctionPart[];
  readonly exports?: readonly { name: string; kind: number; index: number }[];
  /** Content of sections, replacing the default ones or standing beside them, by section id. */
  readonly sections?: Readonly<Record<number, readonly number[] | undefined>>;
}

/** A module with one exported memory of one page and one exported function, unless told otherwise. */
export function buildModule(parts: ModuleParts = {}): Uint8Array {
  const module = new Writer().u8(0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00);
  const sections = { ...defaultSections(parts), ...parts.sections };
  for (const id of [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 10, 11, 13, 0]) {
    const content = sections[id];
    if (content !== undefined) module.u8(id).sized(Uint8Array.from(content));
  }
  return module.finish().slice();
}

/** Unsigned LEB128. */
export function leb(value: number): number[] {
  return [...new Writer().u32(value).finish()];
}

/** i32.const. */
export function i32Const(value: number): number[] {
  return [0x41, ...new Writer().s32(value).finish()];
}

/** A name as the format writes it. */
export function nameBytes(text: string): number[] {
  const bytes = new TextEncoder().encode(text);
  return [...leb(bytes.length), ...bytes];
}

/** The instructions that call import or function `index`. */
export function call(index: number): number[] {
  return [0x10, ...leb(index)];
}

/** One active data segment in memory 0. */
export function dataSection(offset: number, bytes: Iterable<number>): number[] {
  const content = [...bytes];
  return [1, 0, ...i32Const(offset), end, ...leb(content.length), ...content];
}

function defaultSections(parts: ModuleParts): Record<number, readonly number[] | undefined> {
  const imports = parts.imports ?? [];
  const functions = parts.functions ?? [{ code: [] }];
  const types = [{ params: [], results: [] }, ...(parts.types ?? [])];
  const exported = parts.exports ?? [
    { name: 'memory', kind: 2, index: 0 },
    { name: 'run', kind: 0, index: imports.length },
  ];
  return {
    1: vector(types, ({ params, results }) => [
      0x60,
      ...leb(params.length),
      ...params,
      ...leb(results.length),
      ...results,
    ]),
    2: imports.length === 0 ? undefined : vector(imports, importEntry),
    3: vector(functions, ({ type = 0 }) => leb(type)),
    5: [1, 0, 1],
    7: vector(exported, ({ name, kind, index }) => [...nameBytes(name), kind, ...leb(index)]),
    10: vector(functions, functionBody),
  };
}

function importEntry(entry: NonNullable<ModuleParts['imports']>[number]): number[] {
  const { module = 'countersign', name, type = 0, kind = 0 } = entry;
  const description =
    kind === 0 ? leb(type) : kind === 3 ? [i32, 0] : kind === 2 ? [0, 1] : [0x70, 0, 1];
  return [...nameBytes(module), ...nameBytes(name), kind, ...description];
}

function functionBody({ locals = [], code }: FunctionPart): number[] {
  const groups = vector(locals, ([count, type]) => [...leb(count), type]);
  return [...leb(groups.length + code.length + 1), ...groups, ...code, end];
}

function vector<Item>(items: readonly Item[], bytesOf: (item: Item) => number[]): number[] {
  return [...leb(items.length), ...items.flatMap(bytesOf)];
}
