import t from 'tap';
import type { Test } from 'tap';
import { Fault, limits, toHex } from '#base';
import { sha256 } from '#crypto';
import { prepareContract } from '#wasm';
import {
  buildModule,
  call,
  dataSection,
  end,
  i32,
  i32Const,
  i64,
  leb,
  nameBytes,
} from './module-builder.ts';

const f32 = 0x7d;
const f64 = 0x7c;

/** @returns the fault's code and detail of a refused module. */
function refusal(module: Uint8Array): { code: string; detail: Fault['detail'] } {
  try {
    prepareContract(module);
  } catch (error) {
    if (error instanceof Fault && error.kind === 'malformed') {
      return { code: error.code, detail: error.detail };
    }
    throw error;
  }
  return { code: 'accepted', detail: {} };
}

function refused(test: Test, module: Uint8Array, code: string, detail: object = {}): void {
  test.match(refusal(module), { code, detail });
}

t.test('a plain module is prepared with its functions and the digest of its own bytes', (t) => {
  const module = buildModule();
  const prepared = prepareContract(module);
  t.same(prepared.functions, ['run']);
  t.equal(toHex(prepared.codeHash), toHex(sha256(module)));
  t.ok(WebAssembly.validate(new Uint8Array(prepared.code)));
  t.end();
});

t.test('the same code is prepared to the same bytes', (t) => {
  const module = buildModule({ functions: [{ code: [...i32Const(7), 0x1a] }] });
  t.same(prepareContract(module).code, prepareContract(module.slice()).code);
  t.end();
});

t.test('000-5 floating point is refused wherever it stands', (t) => {
  const used = 'WASM_FLOAT_USED';
  refused(t, buildModule({ types: [{ params: [f32], results: [] }] }), used, { what: 'f32' });
  refused(t, buildModule({ types: [{ params: [], results: [f64] }] }), used, { what: 'f64' });
  refused(t, buildModule({ functions: [{ locals: [[1, f32]], code: [] }] }), used);
  refused(t, buildModule({ functions: [{ code: [0x02, f64, end, 0x1a] }] }), used);
  const global = [1, f64, 0, 0x44, 0, 0, 0, 0, 0, 0, 0, 0, end];
  refused(t, buildModule({ sections: { 6: global } }), used, { where: 'global 0' });
  t.end();
});

t.test('000-5 every floating-point instruction is refused by its opcode', (t) => {
  const spans = [
    [0x2a, 0x2b],
    [0x38, 0x39],
    [0x43, 0x44],
    [0x5b, 0x66],
    [0x8b, 0xa6],
    [0xa8, 0xab],
    [0xae, 0xbf],
  ];
  for (const [first = 0, last = 0] of spans) {
    for (let opcode = first; opcode <= last; opcode += 1) {
      const instruction = `0x${opcode.toString(16)}`;
      refused(t, withCode(opcode, 0, 0, 0, 0, 0, 0, 0, 0), 'WASM_FLOAT_USED', { instruction });
    }
  }
  for (let truncation = 0; truncation <= 7; truncation += 1) {
    refused(t, withCode(0xfc, truncation), 'WASM_FLOAT_USED');
  }
  t.end();
});

t.test('instructions of other proposals are refused by the name of their family', (t) => {
  const families: [number[], string][] = [
    [[0x06, 0x40], 'exception'],
    [[0x08, 0], 'exception'],
    [[0x1f, 0x40, 0], 'exception'],
    [[0x12, 0], 'tail-call'],
    [[0x14, 0], 'function-reference'],
    [[0x1c, 1, i32], 'typed-select'],
    [[0x25, 0], 'table'],
    [[0xfc, 12, 0, 0], 'table'],
    [[0xfc, 18], 'reserved'],
    [[0xd0, 0x70], 'reference'],
    [[0xfb, 0], 'garbage-collection'],
    [[0xfd, 12], 'simd'],
    [[0xfe, 0, 2, 0], 'threads'],
    [[0x27], 'reserved'],
    [[...i32Const(0), 0x28, 0x42, 0, 0], 'multi-memory'],
    [[0x3f, 1], 'multi-memory'],
    [[...i32Const(0), 0x11, 0, 1], 'multi-table'],
  ];
  for (const [code, what] of families)
    refused(t, withCode(...code), 'WASM_FEATURE_REFUSED', { what });
  t.end();
});

t.test('types of other proposals are refused', (t) => {
  const what = (module: Uint8Array) => refusal(module).detail['what'];
  t.equal(what(buildModule({ types: [{ params: [0x7b], results: [] }] })), 'v128');
  t.equal(what(buildModule({ types: [{ params: [0x70], results: [] }] })), 'value type 0x70');
  t.equal(what(buildModule({ types: [{ params: [], results: [i32, i32] }] })), 'multi-value');
  t.equal(what(buildModule({ sections: { 1: [1, 0x5f, 0] } })), 'type form 95');
  t.equal(what(buildModule({ sections: { 13: [0] } })), 'section 13');
  t.equal(what(buildModule({ sections: { 4: [1, 0x6f, 0, 0] } })), 'table of 0x6f');
  t.equal(what(buildModule({ functions: [{ code: [0x02, 0, end] }] })), 'value type 0x0');
  t.end();
});

t.test('an import that the host does not offer is refused by its name', (t) => {
  const unknown = 'WASM_IMPORT_UNKNOWN';
  refused(t, buildModule({ imports: [{ module: 'env', name: 'get' }] }), unknown, {
    module: 'env',
  });
  refused(t, buildModule({ imports: [{ name: 'clock' }] }), unknown, { name: 'clock' });
  refused(t, buildModule({ imports: [{ name: 'toString' }] }), unknown, { name: 'toString' });
  refused(t, buildModule({ imports: [{ name: 'm', kind: 2 }] }), unknown, { kind: 'memory' });
  refused(t, buildModule({ imports: [{ name: 't', kind: 1 }] }), unknown, { kind: 'table' });
  refused(t, buildModule({ imports: [{ name: 'get', kind: 3 }] }), unknown, { kind: 'global' });
  t.end();
});

t.test('a host function with another signature is refused', (t) => {
  const types = [{ params: [i32, i64], results: [i32] }];
  const module = buildModule({ types, imports: [{ name: 'get', type: 1 }] });
  refused(t, module, 'WASM_IMPORT_MISTYPED', { name: 'get' });
  t.end();
});

t.test('a module has one memory within the page limit', (t) => {
  const refuse = (memory: number[] | undefined, detail: object) =>
    refused(t, buildModule({ sections: { 5: memory } }), 'WASM_MEMORY_REFUSED', detail);
  refuse([2, 0, 1, 0, 1], { reason: 'more than one' });
  refuse([1, 1, 1, ...leb(limits.contractMemoryPagesMax + 1)], { reason: 'too large' });
  refuse([1, 0, ...leb(limits.contractMemoryPagesMax + 1)], { reason: 'too large' });
  refuse([1, 3, 1, 2], { reason: 'flags 3' });
  refuse([1, 4, 1], { reason: 'flags 4' });
  refuse([0], { reason: 'no memory' });
  refuse(undefined, { reason: 'no memory' });
  t.equal(refusal(buildModule({ sections: { 5: [1, 1, 1, ...leb(256)] } })).code, 'accepted');
  t.end();
});

t.test('tables and segments must fit', (t) => {
  const many = leb(limits.contractTableEntriesMax + 1);
  refused(t, buildModule({ sections: { 4: [1, 0x70, 0, ...many] } }), 'WASM_TABLE_REFUSED');
  refused(t, buildModule({ sections: { 4: [2, 0x70, 0, 1, 0x70, 0, 1] } }), 'WASM_TABLE_REFUSED');
  const element = { 4: [1, 0x70, 0, 1], 9: [1, 0, ...i32Const(1), end, 1, 0] };
  refused(t, buildModule({ sections: element }), 'WASM_SEGMENT_REFUSED', { what: 'element' });
  const passive = { 4: [1, 0x70, 0, 1], 9: [1, 1, 0, 1, 0] };
  refused(t, buildModule({ sections: passive }), 'WASM_FEATURE_REFUSED');
  const outside = buildModule({ sections: { 11: dataSection(65_535, [1, 2]) } });
  refused(t, outside, 'WASM_SEGMENT_REFUSED', { what: 'data', offset: 65_535 });
  const negative = buildModule({ sections: { 11: dataSection(-1, [1]) } });
  refused(t, negative, 'WASM_SEGMENT_REFUSED', { offset: 0xffff_ffff });
  t.end();
});

t.test('a module exports its memory and at least one function, and nothing strange', (t) => {
  const memory = { name: 'memory', kind: 2, index: 0 };
  const run = { name: 'run', kind: 0, index: 0 };
  const refuse = (code: string, detail: object, ...exports: (typeof memory)[]) =>
    refused(t, buildModule({ exports }), code, detail);
  refuse('WASM_EXPORT_MISSING', { name: 'memory' }, run);
  refuse('WASM_EXPORT_MISSING', { name: 'a function' }, memory);
  refuse('WASM_EXPORT_REFUSED', { name: 'mem' }, run, { ...memory, name: 'mem' });
  refuse('WASM_EXPORT_REFUSED', { reason: 'reserved name' }, memory, {
    ...run,
    name: 'countersign_gas',
  });
  refuse('WASM_EXPORT_REFUSED', { reason: 'exported twice' }, memory, run, run);
  refuse('WASM_EXPORT_REFUSED', { reason: 'length of the name' }, memory, { ...run, name: '' });
  refuse('WASM_EXPORT_REFUSED', { kind: 'table' }, memory, run, { name: 't', kind: 1, index: 0 });
  refuse('WASM_CODE_MALFORMED', { reason: 'unknown function' }, memory, { ...run, index: 1 });
  const types = [{ params: [i32], results: [] }];
  const exports = [memory, run];
  const withParameter = buildModule({ types, functions: [{ type: 1, code: [] }], exports });
  refused(t, withParameter, 'WASM_EXPORT_REFUSED', { name: 'run' });
  t.end();
});

t.test('a start function is refused', (t) => {
  refused(t, buildModule({ sections: { 8: [0] } }), 'WASM_START_REFUSED', { functionIndex: 0 });
  t.end();
});

t.test('exported globals of linkers are accepted and left out', (t) => {
  const exports = [
    { name: 'memory', kind: 2, index: 0 },
    { name: 'run', kind: 0, index: 0 },
    { name: 'countersign_gas', kind: 3, index: 0 },
  ];
  const prepared = prepareContract(
    buildModule({ exports, sections: { 6: [1, i32, 0, 0x41, 9, end] } }),
  );
  t.same(prepared.functions, ['run']);
  t.end();
});

t.test('what is too large is refused by its count', (t) => {
  const oversize = 'WASM_SHAPE_OVERSIZE';
  const large = buildModule({
    sections: { 0: [...nameBytes('x'), ...Array(limits.contractCodeBytesMax).fill(0)] },
  });
  refused(t, large, 'WASM_CODE_OVERSIZE', { bytesMax: limits.contractCodeBytesMax });
  const locals = [
    [limits.contractLocalsMax, i64],
    [1, i32],
  ] as const;
  refused(t, buildModule({ functions: [{ locals, code: [] }] }), oversize, { what: 'locals' });
  const functions = Array.from({ length: limits.contractFunctionsMax + 1 }, () => ({ code: [] }));
  refused(t, buildModule({ functions }), oversize, { what: 'functions' });
  const depth = limits.contractNestingMax + 1;
  const nested = [
    ...Array.from({ length: depth }, () => [0x02, 0x40]).flat(),
    ...Array(depth).fill(end),
  ];
  refused(t, buildModule({ functions: [{ code: nested }] }), oversize, { what: 'nesting' });
  const body = Array(limits.contractFunctionBytesMax).fill(0x01);
  refused(t, buildModule({ functions: [{ code: body }] }), oversize, { what: 'function bytes' });
  const table = [...i32Const(0), 0x0e, ...leb(limits.contractBranchTableMax + 1)];
  refused(t, withCode(...table), oversize, { what: 'branch table entries' });
  t.end();
});

t.test('what is not well-formed is refused', (t) => {
  const malformed = 'WASM_CODE_MALFORMED';
  const good = buildModule();
  refused(t, new Uint8Array(0), malformed, { reason: 'truncated' });
  refused(t, Uint8Array.of(0, 0x61, 0x73, 0x6e, 1, 0, 0, 0), malformed);
  refused(t, Uint8Array.of(0, 0x61, 0x73, 0x6d, 2, 0, 0, 0), malformed);
  for (let length = 0; length < good.length; length += 1) {
    t.not(refusal(good.slice(0, length)).code, 'accepted');
  }
  refused(t, Uint8Array.of(...good, 1, 1, 0), malformed, { reason: 'sections out of order' });
  refused(t, Uint8Array.of(...good, 11, 2, 0, 0), malformed, {
    reason: 'trailing bytes in section 11',
  });
  refused(t, Uint8Array.of(...good, 0, 0x80, 0x80, 0x80, 0x80, 0x10), malformed, {
    reason: 'integer too long',
  });
  refused(t, Uint8Array.of(...good, 0, 2, 1, 0xff), malformed, { reason: 'name is not UTF-8' });
  refused(t, withCode(end), malformed);
  refused(t, buildModule({ sections: { 10: undefined } }), malformed, {
    reason: 'functions without bodies',
  });
  t.end();
});

t.test('what does not validate is refused, wherever the fault lies', (t) => {
  const invalid = 'WASM_CODE_INVALID';
  refused(t, withCode(0x1a), invalid);
  refused(t, withCode(...i32Const(1)), invalid);
  refused(t, withCode(0x20, 0), invalid);
  refused(t, withCode(0x24, 0), invalid);
  refused(t, withCode(0x0c, 9), invalid);
  refused(t, withCode(0x05), invalid);
  refused(t, withCode(...i32Const(0), ...i32Const(0), 0x7c, 0x1a), invalid);
  t.end();
});

t.test('a call to an unknown function is refused', (t) => {
  refused(t, withCode(...call(1)), 'WASM_CODE_MALFORMED', { reason: 'unknown function' });
  t.end();
});

t.test('custom sections are stripped', (t) => {
  const note = 'a note that nobody needs';
  const prepared = prepareContract(buildModule({ sections: { 0: nameBytes(note) } }));
  t.notOk(Buffer.from(prepared.code).includes(note));
  t.end();
});

function withCode(...code: number[]): Uint8Array {
  return buildModule({ functions: [{ code }] });
}
