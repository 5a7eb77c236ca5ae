/** The guard's file as crashes and other guards leave it, in more ways than can be tried on a host. */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { equalBytes, toHex, utf8 } from '#base';
import { sha256 } from '#crypto';
import { BlockGuard } from '../../hsm/block-guard.ts';
import type { BlockMark } from '../../hsm/guard-record.ts';
import { recordBytes } from '../../hsm/guard-record.ts';
import { GuardState } from '../../hsm/guard-state.ts';
import { seededRandom } from '../crypto/fuzzing.ts';
import { temporaryDir } from '../support/temporary-dir.ts';

const hashes = new Map<string, Uint8Array>();

function hashOf(channel: string, number: bigint, variant = 'a'): Uint8Array {
  const name = `${variant} ${channel} ${number}`;
  const hash = hashes.get(name) ?? sha256(utf8(name));
  hashes.set(name, hash);
  return hash;
}

function block(channel: string, number: bigint) {
  const previousHash = hashOf(channel, number - 1n);
  return { channel, number, headerHash: hashOf(channel, number), previousHash };
}

/** How long the file was when the blocks up to these marks were released to be signed. */
interface Released {
  readonly bytes: number;
  readonly marks: readonly BlockMark[];
}

/** A guard's life in two epochs, on three channels, with marks of another guard taken over. */
async function guardsLife(dir: string): Promise<Released[]> {
  const file = join(dir, 'blocks.guard');
  const released: Released[] = [{ bytes: 0, marks: [] }];
  const note = (guard: BlockGuard) =>
    released.push({ bytes: statSync(file).size, marks: guard.marks });
  for (const epoch of [0n, 1n]) {
    await using guard = await BlockGuard.open(dir);
    note(guard);
    for (let count = 1n; count <= 3n; count += 1n) {
      const number = 3n * epoch + count;
      await guard.allow(block('one', number));
      note(guard);
      await Promise.all([guard.allow(block('two', number)), guard.allow(block('three', number))]);
      note(guard);
    }
    if (epoch === 1n) break;
    await guard.raise([{ channel: 'four', number: 7n, headerHash: hashOf('four', 7n) }]);
    note(guard);
  }
  return released;
}

/** What is wrong with the record that was recovered from so many bytes; empty if nothing is. */
function faultsOf(left: Uint8Array, cut: number, released: readonly Released[]): string[] {
  const state = new GuardState();
  const { isSound } = state.read(left);
  const due = released.findLast(({ bytes }) => bytes <= cut)?.marks ?? [];
  const invented = state.marks.some(
    ({ channel, number, headerHash }) => !equalBytes(headerHash, hashOf(channel, number)),
  );
  if (isSound && !isLowered(due, state) && !invented) return [];
  return [`cut ${cut}: ${sorted(state)}`];
}

t.test('cut at any byte, the record still has every block that was released', async (t) => {
  const dir = temporaryDir(t);
  const released = await guardsLife(dir);
  const whole = readFileSync(join(dir, 'blocks.guard'));
  const wrong: string[] = [];
  const cut = (at: number, length: number) => {
    const left = Buffer.alloc(length);
    whole.copy(left, 0, 0, at);
    wrong.push(...faultsOf(left, at, released));
  };
  for (let at = whole.length; at >= 0; at -= 1) {
    cut(at, at);
    // The file may have grown before its last sector was written: then zeros stand there.
    cut(at, Math.ceil(at / recordBytes) * recordBytes);
  }
  t.strictSame(wrong, []);
  t.ok(whole.length > 10_000, `${whole.length} bytes to cut at`);
  t.equal(released.at(-1)?.bytes, whole.length);
});

/** What other guards have exported; at one height of a channel all have the same block. */
function randomExports(random: () => number, variants: readonly string[]): BlockMark[][] {
  const below = (bound: number) => Math.floor(random() * bound);
  return Array.from({ length: 1 + below(4) }, () =>
    Array.from({ length: below(5) }, () => {
      const [channel, number] = [`c${below(3)}`, BigInt(below(12))];
      const variant = variants[below(variants.length)] ?? 'a';
      return { channel, number, headerHash: hashOf(channel, number, variant) };
    }),
  );
}

/** As a guard does it that has no file. @returns false when the marks contradict its own. */
function merge(state: GuardState, marks: readonly BlockMark[]): boolean {
  try {
    for (const mark of state.raisedBy(marks).values()) {
      if (!state.apply({ ...mark, kind: 'floor', epoch: 0n }, state.sequence + 1n)) return false;
    }
    return true;
  } catch {
    return false;
  }
}

function sorted(state: GuardState): string {
  const marks = state.marks.map((one) => `${one.channel} ${one.number} ${toHex(one.headerHash)}`);
  return marks.toSorted().join(', ');
}

/** Whether some channel stands lower than before, or at the same height with another block. */
function isLowered(before: readonly BlockMark[], state: GuardState): boolean {
  return before.some(({ channel, number, headerHash }) => {
    const now = state.latestOf(channel);
    if (now === undefined || now.number < number) return true;
    return now.number === number && !equalBytes(now.headerHash, headerHash);
  });
}

const histories = 10_000;

t.test('marks are merged in any order and any number of times to the same', async (t) => {
  const random = seededRandom(9);
  const wrong: string[] = [];
  for (let history = 0; history < histories; history += 1) {
    const exports = randomExports(random, ['a']);
    const orders = [exports, exports.toReversed(), [...exports, ...exports], [exports.flat()]];
    const merged = orders.map((order) => {
      const state = new GuardState();
      for (const marks of order) {
        const before = state.marks;
        if (!merge(state, marks)) wrong.push(`${history}: refused`);
        if (isLowered(before, state)) wrong.push(`${history}: lowered`);
      }
      return sorted(state);
    });
    if (new Set(merged).size !== 1) wrong.push(`${history}: ${merged.join(' | ')}`);
  }
  t.strictSame(wrong, []);
});

t.test('marks that contradict each other never lower one, nor change its block', async (t) => {
  const random = seededRandom(10);
  let refused = 0;
  const wrong: number[] = [];
  for (let history = 0; history < histories; history += 1) {
    const state = new GuardState();
    for (const marks of randomExports(random, ['a', 'b'])) {
      const before = state.marks;
      if (!merge(state, marks)) refused += 1;
      if (isLowered(before, state)) wrong.push(history);
    }
  }
  t.strictSame(wrong, []);
  t.ok(refused > 1_000, `${refused} exports were refused`);
});
