import { appendFileSync, copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { limits, utf8 } from '#base';
import { sha256 } from '#crypto';
import { BlockGuard } from '../../hsm/block-guard.ts';
import type { EpochAnchor } from '../../hsm/block-guard.ts';
import { GuardFile } from '../../hsm/guard-file.ts';
import { encodeRecord, recordBytes } from '../../hsm/guard-record.ts';
import type { BlockMark } from '../../hsm/guard-record.ts';
import { seededRandom } from '../crypto/fuzzing.ts';
import { temporaryDir } from '../support/temporary-dir.ts';
import { Racer } from './guard-racers.ts';

const hashOf = (number: bigint, variant = 'a') => sha256(utf8(`${variant} ${number}`));
const block = (number: bigint, channel = 'ch') => ({
  channel,
  number,
  headerHash: hashOf(number),
  previousHash: hashOf(number - 1n),
});

const stopTitle = 'a holder that was stopped and succeeded signs nothing when it comes back';
t.test(stopTitle, async (t) => {
  const dir = temporaryDir(t);
  const stopped = new Racer(t, dir);
  t.equal(await stopped.heard(), 'holds');
  const first = await stopped.ask(1n);
  t.match(first, /^allowed /);
  const previous = first.split(' ')[1];
  stopped.signal('SIGSTOP');
  const successor = new Racer(t, dir);
  t.equal(await successor.heard(), 'holds', 'after it did not answer');
  t.match(await successor.ask(2n, previous), /^allowed /);
  stopped.signal('SIGCONT');
  t.equal(await stopped.ask(2n, previous), 'HSM_GUARD_FENCED');
  t.equal(await stopped.ask(1n), 'HSM_GUARD_FENCED', 'nor what it had signed before');
  await stopped.end();
  const third = new Racer(t, dir);
  t.equal(await third.heard(), 'HSM_GUARD_LOCKED', 'the successor is alive');
  await successor.end();
});

t.test('of two that start together one holds the guard', async (t) => {
  for (let round = 0; round < 5; round += 1) {
    const dir = temporaryDir(t);
    const racers = [new Racer(t, dir), new Racer(t, dir), new Racer(t, dir)];
    await Promise.all(racers.map((racer) => racer.heard()));
    const answers = await Promise.all(racers.map((racer) => racer.ask(1n)));
    const allowed = answers.filter((answer) => answer.startsWith('allowed'));
    t.equal(allowed.length, 1, answers.join(' '));
    for (const racer of racers) racer.signal('SIGKILL');
  }
});

t.test('a record of a holder that was succeeded counts for nobody', async (t) => {
  const dir = temporaryDir(t);
  const file = join(dir, 'blocks.guard');
  const guard = await BlockGuard.open(dir);
  await guard.allow(block(1n));
  // As if written by one that had been stopped between its look and its write.
  const late = { kind: 'block', epoch: 0n, channel: 'ch', number: 2n } as const;
  appendFileSync(file, encodeRecord({ ...late, headerHash: hashOf(2n, 'b') }, 3n));
  await guard.allow(block(2n));
  await guard.close();
  await using again = await BlockGuard.open(dir);
  await again.allow(block(3n));
  t.strictSame(again.marks, [{ channel: 'ch', number: 3n, headerHash: hashOf(3n) }]);
});

t.test('what a holder wrote while another asked for it stays on record', async (t) => {
  const dir = temporaryDir(t);
  const guard = await BlockGuard.open(dir);
  await guard.allow(block(1n));
  const successor = GuardFile.open(join(dir, 'blocks.guard'));
  await guard.allow(block(2n));
  successor.mend();
  t.strictSame(successor.state.latestOf('ch')?.number, 2n);
  successor.close();
  await guard.allow(block(3n));
  await guard.close();
  await using again = await BlockGuard.open(dir);
  t.equal(again.marks[0]?.number, 3n);
});

t.test(
  'whoever succeeds a holder without having read all that it wrote is no holder',
  async (t) => {
    const dir = temporaryDir(t);
    const guard = await BlockGuard.open(dir);
    const successor = GuardFile.open(join(dir, 'blocks.guard'));
    await guard.allow(block(1n));
    const epoch = { kind: 'epoch', epoch: 2n, channel: '', number: 0n } as const;
    await successor.append([{ ...epoch, headerHash: hashOf(0n, 'holder') }]);
    t.equal(successor.state.epoch, 1n);
    successor.close();
    await guard.allow(block(2n));
    await guard.close();
    await using again = await BlockGuard.open(dir);
    t.equal(again.marks[0]?.number, 2n);
  },
);

t.test('whoever has the file open that another wrote anew writes nothing', async (t) => {
  const dir = temporaryDir(t);
  await (await BlockGuard.open(dir)).close();
  const path = join(dir, 'blocks.guard');
  const [late, later, successor] = [path, path, path].map((one) => GuardFile.open(one));
  const moved = { kind: 'moved', epoch: 1n, channel: '', number: 0n } as const;
  await successor!.append([{ ...moved, headerHash: new Uint8Array(32) }]);
  successor!.replace();
  const record = { kind: 'block', epoch: 1n, channel: 'ch', number: 1n } as const;
  const fenced = { code: 'HSM_GUARD_FENCED', kind: 'fatal' };
  await t.rejects(late!.append([{ ...record, headerHash: hashOf(1n) }]), fenced);
  t.throws(() => later!.replace(), fenced);
  for (const one of [late, later, successor]) one!.close();
  await using guard = await BlockGuard.open(dir);
  t.strictSame(guard.marks, []);
});

t.test('blocks of many channels are recorded together, each once', async (t) => {
  const dir = temporaryDir(t);
  await using guard = await BlockGuard.open(dir);
  const channels = Array.from({ length: 300 }, (_none, index) => `channel-${index}`);
  await Promise.all(
    channels.flatMap((channel) => [
      guard.allow(block(1n, channel)),
      guard.allow(block(1n, channel)),
      guard.allow(block(2n, channel)),
    ]),
  );
  const records = readFileSync(join(dir, 'blocks.guard')).length / recordBytes;
  t.equal(records, 1 + 2 * channels.length, 'the epoch and two blocks of each');
  t.equal(guard.marks.length, channels.length);
});

t.test('of rivals that come together the first one is allowed', async (t) => {
  await using guard = await BlockGuard.open(temporaryDir(t));
  const rivals = Array.from({ length: 20 }, (_none, index) => ({
    ...block(1n),
    headerHash: hashOf(1n, `rival ${index}`),
  }));
  const outcomes = await Promise.allSettled(rivals.map((rival) => guard.allow(rival)));
  t.strictSame(
    outcomes.map(({ status }) => status),
    rivals.map((_rival, index) => (index === 0 ? 'fulfilled' : 'rejected')),
  );
});

/** A counter that cannot be turned back, for one test. */
class Counter implements EpochAnchor {
  value = 0n;
  failAt: bigint | undefined;

  async read(): Promise<bigint> {
    return this.value;
  }

  async increment(): Promise<bigint> {
    if (this.value + 1n === this.failAt) throw new Error('cut off');
    this.value += 1n;
    return this.value;
  }
}

t.test('a guard file of an earlier epoch is refused', async (t) => {
  const dir = temporaryDir(t);
  const [file, old] = [join(dir, 'blocks.guard'), join(dir, 'yesterday')];
  const anchor = new Counter();
  await (await BlockGuard.open(dir, { anchor })).close();
  copyFileSync(file, old);
  await (await BlockGuard.open(dir, { anchor })).close();
  copyFileSync(old, file);
  await t.rejects(BlockGuard.open(dir, { anchor }), {
    code: 'HSM_GUARD_ROLLED_BACK',
    kind: 'fatal',
    detail: { epoch: 1n, anchored: 2n },
  });
  const empty = temporaryDir(t);
  await t.rejects(BlockGuard.open(empty, { anchor }), { code: 'HSM_GUARD_ROLLED_BACK' });
});

t.test('a crash between file and counter is not taken for a rollback', async (t) => {
  const dir = temporaryDir(t);
  const anchor = new Counter();
  await (await BlockGuard.open(dir, { anchor })).close();
  anchor.failAt = 2n;
  await t.rejects(BlockGuard.open(dir, { anchor }), /cut off/);
  anchor.failAt = undefined;
  await using guard = await BlockGuard.open(dir, { anchor });
  await guard.allow(block(1n));
  t.equal(anchor.value, 3n);
});

t.test('the counter is raised once for some thousand blocks', async (t) => {
  const anchor = new Counter();
  await using guard = await BlockGuard.open(temporaryDir(t), { anchor });
  const count = BigInt(limits.guardRecordsPerEpochMax) + 1n;
  for (let number = 1n; number <= count; number += 64n) {
    const batch = Array.from({ length: 64 }, (_none, index) => number + BigInt(index));
    await Promise.all(batch.filter((one) => one <= count).map((one) => guard.allow(block(one))));
  }
  t.equal(anchor.value, 2n);
});

t.test('a block that carries our signature and is not on record ends all signing', async (t) => {
  await using guard = await BlockGuard.open(temporaryDir(t));
  await guard.allow(block(1n));
  await guard.allow(block(2n));
  t.doesNotThrow(() => guard.witness(block(2n)));
  t.doesNotThrow(() => guard.witness(block(1n)), 'an earlier one is not remembered');
  const rolledBack = { code: 'HSM_GUARD_ROLLED_BACK', kind: 'fatal' };
  t.throws(() => guard.witness(block(3n)), rolledBack);
  await t.rejects(guard.allow(block(3n)), rolledBack);
  await t.rejects(guard.allow(block(2n)), rolledBack);
});

t.test('marks of other guards are merged in any order, and none is lowered', async (t) => {
  const random = seededRandom(9);
  const below = (bound: number) => Math.floor(random() * bound);
  for (let history = 0; history < 4; history += 1) {
    const exports = Array.from({ length: 3 }, () =>
      Array.from({ length: 1 + below(4) }, (): BlockMark => {
        const number = BigInt(1 + below(50));
        return { channel: `c${below(3)}`, number, headerHash: hashOf(number) };
      }),
    );
    const orders = [exports, exports.toReversed(), [...exports, ...exports]];
    const merged = await Promise.all(
      orders.map(async (order) => {
        await using guard = await BlockGuard.open(temporaryDir(t));
        for (const marks of order) {
          const before = new Map(guard.marks.map((mark) => [mark.channel, mark.number]));
          await guard.raise(marks);
          const lowered = guard.marks.some((one) => one.number < (before.get(one.channel) ?? 0n));
          if (lowered) t.fail('a mark was lowered');
        }
        return guard.marks.map(({ channel, number }) => `${channel} ${number}`).toSorted();
      }),
    );
    if (new Set(merged.map(String)).size !== 1) t.fail(merged.join(' | '));
  }
});

t.test(
  'a mark that contradicts the record is refused, and nothing of its export taken',
  async (t) => {
    await using guard = await BlockGuard.open(temporaryDir(t));
    await guard.allow(block(1n));
    const other = { channel: 'other', number: 9n, headerHash: hashOf(9n) };
    const rival = { channel: 'ch', number: 1n, headerHash: hashOf(1n, 'b') };
    await t.rejects(guard.raise([other, rival]), { code: 'HSM_BLOCK_CONFLICT' });
    t.equal(guard.marks.length, 1);
  },
);
