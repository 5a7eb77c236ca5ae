import t from 'tap';
import { limits } from '#base';
import { instantiate, prepareContract } from '#wasm';
import type { InvokeOutcome } from '#wasm';
import { MemoryHost } from '../support/memory-host.ts';
import { buildModule, call, dataSection, end, i32, i32Const, i64, leb } from './module-builder.ts';
import type { ModuleParts } from './module-builder.ts';

const gasMax: number = limits.operationGasMax;
const drop = 0x1a;
const memoryGrow = [0x40, 0];
const memorySize = [0x3f, 0];
const emptyBlock = 0x40;

function run(parts: ModuleParts, gas = gasMax): InvokeOutcome {
  return instantiate(prepareContract(buildModule(parts)), new MemoryHost()).invoke('run', [], gas);
}

function runCode(code: number[], gas = gasMax): InvokeOutcome {
  return run({ functions: [{ code }] }, gas);
}

t.test('000-5 every instruction of a straight run costs one', (t) => {
  t.equal(runCode([]).gasUsed, 0);
  t.equal(runCode([...i32Const(1), drop]).gasUsed, 2);
  t.equal(runCode([0x01, 0x01, 0x01]).gasUsed, 3);
  t.end();
});

t.test('a declared local costs one at every call', (t) => {
  t.equal(run({ functions: [{ locals: [[7, i64]], code: [] }] }).gasUsed, 7);
  t.end();
});

t.test('only the branch that is taken is paid for', (t) => {
  const branch = (condition: number) =>
    runCode([...i32Const(condition), 0x04, emptyBlock, 0x01, 0x01, 0x01, 0x05, 0x01, end]);
  t.equal(branch(1).gasUsed, 2 + 3);
  t.equal(branch(0).gasUsed, 2 + 1);
  t.end();
});

t.test('a loop pays for every round', (t) => {
  t.equal(countdown(1).gasUsed, 4 + 6);
  t.equal(countdown(10).gasUsed, 4 + 60);
  t.equal(countdown(1000).gasUsed, 4 + 6000);
  t.end();
});

t.test('gas is the same however often it is counted', (t) => {
  const instance = instantiate(
    prepareContract(buildModule(countdownParts(5000))),
    new MemoryHost(),
  );
  const used = Array.from({ length: 300 }, () => instance.invoke('run', [], gasMax).gasUsed);
  t.same(new Set(used), new Set([4 + 30_000]));
  t.end();
});

t.test('the gas that suffices is exactly the gas that is used', (t) => {
  t.equal(countdown(10, 64).ok, true);
  t.match(countdown(10, 63), { ok: false, reason: 'gas', gasUsed: 63 });
  t.match(countdown(10, 0), { ok: false, reason: 'gas', gasUsed: 0 });
  t.end();
});

t.test('a contract that loops for ever is stopped, with and without a body', (t) => {
  const endless = {
    ok: false,
    reason: 'gas',
    message: 'The contract ran out of gas.',
    gasUsed: gasMax,
  };
  t.match(runCode([0x03, emptyBlock, 0x0c, 0, end]), endless);
  t.match(runCode([0x03, emptyBlock, ...i32Const(1), 0x0d, 0, end]), endless);
  t.match(runCode([0x03, emptyBlock, ...i32Const(0), 0x0e, 0, 0, end]), endless);
  t.end();
});

t.test('a return in the midst of blocks leaves the function with its result', (t) => {
  const types = [{ params: [i32], results: [i32] }];
  // callee: if the parameter is set return 5 from two blocks deep, else 6.
  const deep = [0x02, emptyBlock, 0x20, 0, 0x04, emptyBlock, ...i32Const(5), 0x0f, end, end];
  const callee = { type: 1, code: [...deep, ...i32Const(6)] };
  const expect = (param: number, result: number) =>
    [i32Const(param), call(1), i32Const(result), 0x47, 0x04, emptyBlock, 0x00, end].flat();
  const code = [...expect(1, 5), ...expect(0, 6)];
  t.equal(run({ types, functions: [{ code }, callee] }).ok, true);
  t.end();
});

t.test('recursion without end stops at the same depth every time', (t) => {
  const instance = instantiate(
    prepareContract(buildModule({ functions: [{ code: call(0) }] })),
    new MemoryHost(),
  );
  const first = instance.invoke('run', [], gasMax);
  t.match(first, { ok: false, reason: 'depth', message: 'The contract called too deeply.' });
  t.equal(first.gasUsed, limits.contractStackSlotsMax / 16);
  for (let round = 0; round < 200; round += 1) {
    if (instance.invoke('run', [], gasMax).gasUsed !== first.gasUsed) t.fail('another depth');
  }
  t.end();
});

t.test(
  '000-5 the depth of calls counts locals and operands, so no frame exhausts the machine',
  (t) => {
    for (const parts of [wideLocals(900), wideOperands(900), wideParameters(900)]) {
      for (let round = 0; round < 20; round += 1)
        t.match(run(parts), { ok: false, reason: 'depth' });
    }
    t.end();
  },
);

t.test('depth is given back by every return', (t) => {
  const callee = { code: [0x02, emptyBlock, 0x0f, end] };
  const code = Array.from({ length: 4000 }, () => call(1)).flat();
  t.equal(run({ functions: [{ code }, callee] }).ok, true);
  t.end();
});

t.test('indirect calls are counted as direct ones are', (t) => {
  const sections = { 4: [1, 0x70, 0, 1], 9: [1, 0, ...i32Const(0), end, 1, 0] };
  const outcome = run({ functions: [{ code: [...i32Const(0), 0x11, 0, 0] }], sections });
  t.match(outcome, { ok: false, reason: 'depth' });
  t.end();
});

t.test('000-5 memory grows to its maximum and no further', (t) => {
  const trapUnless = (result: number) => [...i32Const(result), 0x47, 0x04, emptyBlock, 0x00, end];
  const grown = runCode([...i32Const(255), ...memoryGrow, ...trapUnless(1)]);
  t.equal(grown.ok, true);
  t.ok(grown.gasUsed > 255 * 4096);
  t.equal(runCode([...i32Const(256), ...memoryGrow, ...trapUnless(-1)]).ok, true);
  t.equal(runCode([...i32Const(-1), ...memoryGrow, ...trapUnless(-1)]).ok, true);
  const bounded = { 5: [1, 1, 1, 2] };
  const code = [...i32Const(2), ...memoryGrow, ...trapUnless(-1)];
  t.equal(run({ functions: [{ code }], sections: bounded }).ok, true);
  t.end();
});

t.test('a memory hog runs out of gas or of pages, not the machine of memory', (t) => {
  const grow = [...i32Const(1), ...memoryGrow, drop];
  t.match(runCode([0x03, emptyBlock, ...grow, 0x0c, 0, end]), { ok: false, reason: 'gas' });
  t.end();
});

t.test('bulk instructions pay for their length', (t) => {
  const fill = (length: number) =>
    runCode([...i32Const(0), ...i32Const(1), ...i32Const(length), 0xfc, 11, 0]).gasUsed;
  t.equal(fill(65_536) - fill(0), 65_536 / 8);
  const copy = (length: number) =>
    runCode([...i32Const(0), ...i32Const(8), ...i32Const(length), 0xfc, 10, 0, 0]).gasUsed;
  t.equal(copy(8_000) - copy(0), 1_000);
  t.match(runCode([...i32Const(0), ...i32Const(1), ...i32Const(-1), 0xfc, 11, 0]), {
    ok: false,
    reason: 'gas',
  });
  t.end();
});

t.test('memory.init and data.drop work, and a dropped segment is back the next time', (t) => {
  const init = [...i32Const(0), ...i32Const(0), ...i32Const(4), 0xfc, 8, 0, 0];
  const sections = { 12: [1], 11: [1, 1, 4, 1, 2, 3, 4] };
  const parts = { functions: [{ code: [...init, 0xfc, 9, 0] }], sections };
  const instance = instantiate(prepareContract(buildModule(parts)), new MemoryHost());
  t.equal(instance.invoke('run', [], gasMax).ok, true);
  t.equal(instance.invoke('run', [], gasMax).ok, true);
  t.end();
});

t.test('a trap is a trap and nothing else', (t) => {
  const trapped = { ok: false, reason: 'trap', message: 'The contract trapped.' };
  t.match(runCode([0x00]), trapped);
  t.match(runCode([...i32Const(-1), 0x28, 2, 0, drop]), trapped);
  t.match(runCode([...i32Const(1), ...i32Const(0), 0x6d, drop]), trapped);
  t.end();
});

t.test('size of memory and data are those of the module at every invocation', (t) => {
  const same = [...memorySize, ...i32Const(1), 0x47, 0x04, emptyBlock, 0x00, end];
  const load = [...i32Const(100), 0x28, 2, 0, ...i32Const(0x04030201), 0x47];
  const overwrite = [...i32Const(100), ...i32Const(9), 0x36, 2, 0];
  const code = [...same, ...load, 0x04, emptyBlock, 0x00, end, ...overwrite];
  const grows = [...code, ...i32Const(1), ...memoryGrow, drop];
  for (const body of [code, grows]) {
    const sections = { 11: dataSection(100, [1, 2, 3, 4]) };
    const module = buildModule({ functions: [{ code: body }], sections });
    const instance = instantiate(prepareContract(module), new MemoryHost());
    for (let round = 0; round < 3; round += 1) t.equal(instance.invoke('run', [], gasMax).ok, true);
  }
  t.end();
});

/** Four for the local, const, set and loop; six for every round. */
function countdownParts(rounds: number): ModuleParts {
  const step = [0x20, 0, ...i32Const(1), 0x6b, 0x22, 0, 0x0d, 0];
  const code = [...i32Const(rounds), 0x21, 0, 0x03, emptyBlock, 0x01, ...step, end];
  return { functions: [{ locals: [[1, i32]], code }] };
}

function countdown(rounds: number, gas = gasMax): InvokeOutcome {
  return run(countdownParts(rounds), gas);
}

function loadI64(index: number): number[] {
  return [...i32Const(index * 8), 0x29, 3, 0];
}

function wideLocals(count: number): ModuleParts {
  const indexes = Array.from({ length: count }, (_, index) => index);
  const fill = indexes.flatMap((index) => [...loadI64(index), 0x21, ...leb(index)]);
  const use = indexes.flatMap((index) => [...i32Const(0), 0x20, ...leb(index), 0x37, 3, 0]);
  return { functions: [{ locals: [[count, i64]], code: [...fill, ...call(0), ...use] }] };
}

function wideOperands(count: number): ModuleParts {
  const indexes = Array.from({ length: count }, (_, index) => index);
  const code = [...i32Const(0), ...indexes.flatMap(loadI64), ...call(0)];
  return { functions: [{ code: [...code, ...Array(count - 1).fill(0x85), 0x37, 3, 0] }] };
}

function wideParameters(count: number): ModuleParts {
  const indexes = Array.from({ length: count }, (_, index) => index);
  const types = [{ params: Array(count).fill(i32), results: [] }];
  const pass = indexes.flatMap((index) => [0x20, ...leb(index)]);
  const use = indexes.flatMap((index) => [...i32Const(0), 0x20, ...leb(index), 0x36, 2, 0]);
  const first = { code: [...indexes.flatMap((index) => i32Const(index)), ...call(1)] };
  return { types, functions: [first, { type: 1, code: [...pass, ...call(1), ...use] }] };
}
