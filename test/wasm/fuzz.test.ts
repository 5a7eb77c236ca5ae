import t from 'tap';
import { Fault, equalBytes } from '#base';
import { builtInContract, instantiate, prepareContract } from '#wasm';
import type { PreparedContract } from '#wasm';
import { MemoryHost } from '../support/memory-host.ts';
import { buildModule, dataSection, end, i32, i32Const, i64 } from './module-builder.ts';

/** Linear congruential: the same mutations at every run. */
function seededRandom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** One to three bytes changed, or a piece cut out, doubled or moved. */
function mutate(bytes: Uint8Array, random: (below: number) => number): Uint8Array {
  const at = random(bytes.length);
  const length = 1 + random(8);
  switch (random(6)) {
    case 0:
      return Uint8Array.of(...bytes.subarray(0, at), ...bytes.subarray(at + length));
    case 1:
      return Uint8Array.of(...bytes.subarray(0, at + length), ...bytes.subarray(at));
    default: {
      const changed = bytes.slice();
      for (let count = random(3); count >= 0; count -= 1) {
        changed[random(changed.length)] = random(2) === 0 ? random(256) : random(16);
      }
      return changed;
    }
  }
}

/** @returns undefined when it is refused by a fault of the caller's making. */
function prepareOrRefuse(module: Uint8Array): PreparedContract | undefined {
  try {
    return prepareContract(module);
  } catch (error) {
    if (error instanceof Fault && error.kind === 'malformed') return undefined;
    throw error;
  }
}

/** One of everything: a loop, calls, branches, a table, growth, bulk memory, globals. */
const variedCode = [
  [...i32Const(3), 0x21, 0, 0x03, 0x40, 0x20, 0, ...i32Const(1), 0x6b, 0x22, 0, 0x0d, 0, end],
  [...i32Const(1), 0x42, 5, 0x10, 1, 0x04, 0x40, 0x0f, 0x05, 0x01, end],
  [...i32Const(1), 0x40, 0, 0x1a, ...i32Const(0), ...i32Const(9), ...i32Const(4), 0xfc, 11, 0],
  [...i32Const(1), 0x42, 7, ...i32Const(0), 0x11, 1, 0, 0x24, 0],
  [...i32Const(64), 0x23, 0, 0x20, 0, 0x6a, 0x36, 2, 0],
];
const branchTable = [0x02, i32, 0x20, 0, ...i32Const(2), 0x0e, 1, 0, 0, end];
const varied = buildModule({
  types: [{ params: [i32, i64], results: [i32] }],
  functions: [
    { locals: [[2, i32]], code: variedCode.flat() },
    { type: 1, code: branchTable },
  ],
  sections: {
    4: [1, 0x70, 0, 1],
    6: [1, i32, 1, 0x41, 0, end],
    9: [1, 0, ...i32Const(0), end, 1, 1],
    11: dataSection(8, [1, 2, 3, 4]),
  },
});

t.test('a mutated small module is refused by a fault or runs to an outcome', (t) => {
  const random = seededRandom(20_240);
  let accepted = 0;
  let compared = 0;
  for (let round = 0; round < 16_000; round += 1) {
    const mutated = mutate(varied, random);
    const prepared = prepareOrRefuse(mutated);
    if (prepared === undefined) continue;
    accepted += 1;
    checkAccepted(t, prepared);
    if (runTwice(prepared)) compared += Number(sameMemory(t, mutated, prepared));
  }
  // A fuzz that refuses everything, or nothing, tests nothing.
  t.ok(accepted > 300 && accepted < 8_000, `${accepted} accepted`);
  t.ok(compared > 100, `${compared} compared`);
  t.end();
});

t.test('a mutated notary is refused by a fault or is valid and metered', async (t) => {
  const random = seededRandom(20_241);
  const notary = await builtInContract('notary');
  let accepted = 0;
  for (let round = 0; round < 400; round += 1) {
    const prepared = prepareOrRefuse(mutate(notary, random));
    if (prepared === undefined) continue;
    accepted += 1;
    checkAccepted(t, prepared);
  }
  t.ok(accepted > 20 && accepted < 390, `${accepted} accepted`);
});

t.test('noise is refused', (t) => {
  const random = seededRandom(20_242);
  for (let round = 0; round < 2_000; round += 1) {
    const noise = Uint8Array.from({ length: random(64) }, () => random(256));
    noise.set(varied.subarray(0, Math.min(8, noise.length)));
    if (prepareOrRefuse(noise) !== undefined) t.fail('noise was accepted');
  }
  t.end();
});

/** Preparing again what was prepared shows that no float and no foreign thing is left in it. */
function checkAccepted(t: { fail: (message: string) => void }, prepared: PreparedContract): void {
  if (!WebAssembly.validate(new Uint8Array(prepared.code))) t.fail('accepted, but not valid');
  const again = prepareOrRefuse(withoutInjectedFunctions(prepared.code));
  if (again === undefined) t.fail('accepted, but its metered form breaks a rule');
}

/** The metered module with the injected functions' exports turned into exports of global 0, which any contract may have. */
function withoutInjectedFunctions(code: Uint8Array): Uint8Array {
  const text = Buffer.from(code).toString('latin1');
  const renamed = text.replaceAll(/(countersign_(?:begin|charge))\0[^]/g, '$1\x03\0');
  return new Uint8Array(Buffer.from(renamed, 'latin1'));
}

/** @returns whether `run` exists and ends well, with the same gas both times. */
function runTwice(prepared: PreparedContract): boolean {
  const instance = instantiate(prepared, new MemoryHost());
  const first = instance.invoke('run', [], 20_000);
  const second = instance.invoke('run', [], 20_000);
  if (first.ok !== second.ok || first.gasUsed !== second.gasUsed) throw new Error('runs differ');
  return first.ok;
}

/** Metering may not change what a contract computes: its memory is the plain module's afterwards. */
function sameMemory(
  t: { fail: (message: string) => void },
  plain: Uint8Array,
  prepared: PreparedContract,
): boolean {
  const memories = [new WebAssembly.Module(new Uint8Array(plain)), prepared.module].map(
    (module) => {
      const { exports } = new WebAssembly.Instance(module, {});
      (exports['countersign_begin'] as ((gas: number) => void) | undefined)?.(20_000);
      (exports['run'] as () => void)();
      return new Uint8Array((exports['memory'] as WebAssembly.Memory).buffer);
    },
  );
  if (!equalBytes(memories[0] as Uint8Array, memories[1] as Uint8Array)) {
    t.fail('the metered module computes something else');
  }
  return true;
}
