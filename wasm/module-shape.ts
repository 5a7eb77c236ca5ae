import type { FunctionType, ValueType } from './abi.ts';

/** A contract module, parsed and found within the rules; byte fields are views of the input. */
export interface ModuleShape {
  readonly types: FunctionType[];
  /** Type index of each function: the imported ones first. */
  readonly functionTypes: number[];
  importCount: number;
  readonly globals: GlobalShape[];
  readonly bodies: BodyShape[];
  /** Exported functions, callable by name, to function index. */
  readonly exports: Map<string, number>;
  exportsMemory: boolean;
  /** The function that runs before every invocation, if there is one. */
  initialize: number | undefined;
  memory: { readonly pagesMin: number; readonly pagesMax: number } | undefined;
  tableEntries: number | undefined;
  /** True once `data.drop` is used: such an instance cannot be restored, only replaced. */
  dropsData: boolean;
  /** Content of the sections that are written back as they were, by section id. */
  readonly verbatim: Map<number, Uint8Array>;
}

export interface GlobalShape {
  readonly type: ValueType;
  readonly mutable: boolean;
  /** The constant instruction, without its `end`. */
  readonly init: Uint8Array;
}

export interface BodyShape {
  readonly bytes: Uint8Array;
  /** Where the instructions start within `bytes`, behind the locals. */
  readonly codeOffset: number;
  /** Operand slots that one call of the function takes. */
  readonly frameSlots: number;
  readonly edits: readonly Edit[];
}

/** A change that metering makes to a body, at an offset within its bytes, in ascending order. */
export type Edit =
  | { readonly kind: 'charge'; readonly offset: number; cost: number }
  | { readonly kind: 'return'; readonly offset: number; readonly labelDepth: number }
  | { readonly kind: 'grow'; readonly offset: number }
  | { readonly kind: 'bulk'; readonly offset: number };

export const sectionId = {
  custom: 0,
  type: 1,
  import: 2,
  function: 3,
  table: 4,
  memory: 5,
  global: 6,
  export: 7,
  start: 8,
  element: 9,
  code: 10,
  data: 11,
  dataCount: 12,
} as const;

/** Sections in the order the format demands; the data count stands before the code. */
export const sectionOrder: readonly number[] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 10, 11];

export function emptyShape(): ModuleShape {
  return {
    types: [],
    functionTypes: [],
    importCount: 0,
    globals: [],
    bodies: [],
    exports: new Map(),
    exportsMemory: false,
    initialize: undefined,
    memory: undefined,
    tableEntries: undefined,
    dropsData: false,
    verbatim: new Map(),
  };
}
