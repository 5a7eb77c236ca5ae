import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  chownSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { limits, utf8 } from '#base';
import { sha256 } from '#crypto';
import { BlockGuard } from '../../hsm/block-guard.ts';
import type { GuardedBlock } from '../../hsm/block-guard.ts';
import { encodeRecord, readRecord, recordBytes } from '../../hsm/guard-record.ts';
import { fuzz } from '../crypto/fuzzing.ts';
import { temporaryDir } from '../support/softhsm.ts';
import type { TestScope } from '../support/softhsm.ts';

const hashOf = (number: bigint, variant = 'a') => sha256(utf8(`${variant} ${number}`));

function block(number: bigint, changes: Partial<GuardedBlock> = {}): GuardedBlock {
  const chain = { headerHash: hashOf(number), previousHash: hashOf(number - 1n) };
  return { channel: 'ch', number, ...chain, ...changes };
}

async function guarded(dir: string, use: (guard: BlockGuard) => void): Promise<void> {
  await using guard = await BlockGuard.open(dir);
  use(guard);
}

/** A directory whose guard recorded blocks 1 to `count`. */
async function recordedDir(t: TestScope, count: bigint): Promise<{ dir: string; file: string }> {
  const dir = temporaryDir(t);
  await guarded(dir, (guard) => {
    for (let number = 1n; number <= count; number += 1n) guard.allow(block(number));
  });
  return { dir, file: join(dir, 'blocks.guard') };
}

t.test('one height has one block; the same one may come again', async (t) => {
  await guarded(temporaryDir(t), (guard) => {
    guard.allow(block(5n));
    guard.allow(block(5n));
    guard.allow(block(6n));
    const rival = block(6n, { headerHash: hashOf(6n, 'b') });
    t.throws(() => guard.allow(rival), { code: 'HSM_BLOCK_CONFLICT', kind: 'conflict' });
    t.throws(() => guard.allow(block(5n)), { code: 'HSM_BLOCK_PAST' });
    t.throws(() => guard.allow(block(8n)), { code: 'HSM_BLOCK_GAP' });
    const unlinked = block(7n, { previousHash: hashOf(6n, 'b') });
    t.throws(() => guard.allow(unlinked), { code: 'HSM_BLOCK_GAP' }, 'on another chain');
    guard.allow(block(7n));
    guard.allow(block(1n, { channel: 'other' }));
  });
});

t.test('a restart forgets nothing', async (t) => {
  const { dir } = await recordedDir(t, 3n);
  await guarded(dir, (guard) => {
    const rival = block(3n, { headerHash: hashOf(3n, 'b') });
    t.throws(() => guard.allow(rival), { code: 'HSM_BLOCK_CONFLICT' });
    t.throws(() => guard.allow(block(2n)), { code: 'HSM_BLOCK_PAST' });
    guard.allow(block(3n));
    guard.allow(block(4n));
  });
});

t.test(
  'a record cut short at any byte is forgotten, and the records before it are not',
  async (t) => {
    const { dir, file } = await recordedDir(t, 3n);
    const whole = readFileSync(file);
    for (let cut = 2 * recordBytes; cut < 3 * recordBytes; cut += 1) {
      // Where the file had grown before the crash, zeros stand in for what was not written.
      const tails = cut % 8 === 0 ? (['', 'zeros'] as const) : ([''] as const);
      for (const tail of tails) {
        const cutBytes = Buffer.alloc(tail === '' ? cut : whole.length);
        whole.copy(cutBytes, 0, 0, cut);
        writeFileSync(file, cutBytes);
        // From the last byte of the check sum on the record counts, and refuses its rival.
        const recorded = cut >= 3 * recordBytes - 4;
        await guarded(dir, (guard) => {
          const rival = block(3n, { headerHash: hashOf(3n, 'b') });
          const older = block(2n, { headerHash: hashOf(2n, 'b') });
          let refused = '';
          try {
            guard.allow(recorded ? rival : older);
          } catch (error) {
            refused = (error as { code: string }).code;
          }
          if (refused !== 'HSM_BLOCK_CONFLICT') t.fail(`cut at ${cut} ${tail}: ${refused}`);
          guard.allow(block(3n));
        });
        if (statSync(file).size !== whole.length)
          t.fail(`cut at ${cut} ${tail}: the file's length`);
      }
    }
    t.pass('every cut was recovered from');
  },
);

t.test('a changed byte anywhere stops the host', async (t) => {
  const { dir, file } = await recordedDir(t, 3n);
  const whole = readFileSync(file);
  for (let at = 0; at < whole.length; at += 7) {
    const changed = Buffer.from(whole);
    changed[at] = (changed[at] as number) ^ 0x11;
    writeFileSync(file, changed);
    await BlockGuard.open(dir).then(
      () => t.fail(`a change at ${at} went unseen`),
      (error: { code: string; kind: string }) => {
        if (error.code !== 'HSM_GUARD_CORRUPT' || error.kind !== 'fatal') t.fail(error.code);
      },
    );
  }
  t.pass('all were seen');
});

t.test('a lost or doubled record, and zeros in the middle, stop the host', async (t) => {
  const { dir, file } = await recordedDir(t, 4n);
  const whole = readFileSync(file);
  const record = (index: number) => whole.subarray(index * recordBytes, (index + 1) * recordBytes);
  const zeros = Buffer.alloc(recordBytes);
  for (const records of [
    [record(0), record(2), record(3)],
    [record(0), record(1), record(1), record(2)],
    [record(0), record(2), record(1), record(3)],
    [record(0), zeros, record(2)],
  ]) {
    writeFileSync(file, Buffer.concat(records));
    await t.rejects(BlockGuard.open(dir), { code: 'HSM_GUARD_CORRUPT' });
  }
});

t.test('two guards of one directory exclude each other', async (t) => {
  const dir = temporaryDir(t);
  await using first = await BlockGuard.open(dir);
  await t.rejects(BlockGuard.open(dir), { code: 'HSM_GUARD_LOCKED', kind: 'fatal' });
  first.allow(block(1n));
});

t.test('a full disk refuses the block and leaves the guard in use', async (t) => {
  const dir = temporaryDir(t);
  symlinkSync('/dev/full', join(dir, 'blocks.guard'));
  await guarded(dir, (guard) => {
    t.throws(() => guard.allow(block(1n)), { code: 'HSM_GUARD_FULL', kind: 'busy' });
    t.throws(() => guard.allow(block(1n)), { code: 'HSM_GUARD_FULL' }, 'and says so again');
  });
});

t.test('after a failed sync no block is allowed until a restart', async (t) => {
  const dir = temporaryDir(t);
  // A device that takes every byte and cannot sync one.
  symlinkSync('/dev/null', join(dir, 'blocks.guard'));
  await guarded(dir, (guard) => {
    t.throws(() => guard.allow(block(1n)), { code: 'HSM_GUARD_READONLY', kind: 'broken' });
    t.throws(() => guard.allow(block(1n)), { code: 'HSM_GUARD_READONLY' });
  });
});

t.test('a file that may not be written is refused at the start', async (t) => {
  const { dir, file } = await recordedDir(t, 1n);
  chmodSync(file, 0o400);
  // Root may write everything, so the test becomes someone who may not.
  const nobody = 65534;
  if (process.getuid?.() === 0) chownSync(dir, nobody, nobody);
  const script = `
    import { BlockGuard } from ${JSON.stringify(new URL('../../hsm/block-guard.ts', import.meta.url).href)};
    if (process.getuid() === 0) process.setuid(${nobody});
    await BlockGuard.open(${JSON.stringify(dir)}).catch((error) => console.log(error.code));`;
  const args = ['--input-type=module', '-e', script];
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  t.equal(stdout.trim(), 'HSM_GUARD_UNREADABLE', stderr);
});

t.test('a directory in place of the file is refused', async (t) => {
  const dir = temporaryDir(t);
  mkdirSync(join(dir, 'blocks.guard'));
  await t.rejects(BlockGuard.open(dir), { code: 'HSM_GUARD_UNREADABLE', kind: 'fatal' });
});

t.test('a file that grew long is written anew with every channel in it', async (t) => {
  const dir = temporaryDir(t);
  const file = join(dir, 'blocks.guard');
  const count = BigInt(limits.guardRecordsMax) - 1n;
  for (let number = 1n, sequence = 1n; number <= count; sequence += 1n) {
    const records: Uint8Array[] = [];
    for (; number <= count && records.length < 8192; number += 1n, sequence += 1n) {
      records.push(encodeRecord(block(number), sequence));
    }
    appendFileSync(file, Buffer.concat(records));
    sequence -= 1n;
  }
  await guarded(dir, (guard) => {
    guard.allow(block(1n, { channel: 'other' }));
    guard.allow(block(count + 1n));
  });
  t.equal(statSync(file).size, 3 * recordBytes, 'one record per channel and the new one');
  await guarded(dir, (guard) => {
    const conflict = { code: 'HSM_BLOCK_CONFLICT' };
    const rival = block(count + 1n, { headerHash: hashOf(0n, 'b') });
    t.throws(() => guard.allow(rival), conflict);
    t.throws(() => guard.allow({ ...rival, channel: 'other', number: 1n }), conflict);
    guard.allow(block(count + 2n));
  });
});

t.test('no mutation of a record passes for another record', async (t) => {
  const record = { channel: 'ch', number: 2n ** 64n - 1n, headerHash: hashOf(1n) };
  const valid = encodeRecord(record, 9n);
  t.strictSame(readRecord(valid), { record, sequence: 9n });
  const readings = new Set<string>();
  const read = (bytes: Uint8Array) => {
    const reading = readRecord(bytes.subarray(0, recordBytes));
    if (typeof reading === 'string') readings.add(reading);
    else if (reading.record.number !== record.number) throw new Error('another record');
  };
  t.strictSame(fuzz(read, valid, { seed: 3, rounds: 5_000 }).escaped, []);
  t.strictSame([...readings].sort(), ['corrupt', 'torn']);
});
