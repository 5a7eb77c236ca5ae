import { execFileSync, spawnSync } from 'node:child_process';
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
import { mountSmallDisk } from '../support/small-disk.ts';
import { temporaryDir } from '../support/temporary-dir.ts';
import type { TestScope } from '../support/temporary-dir.ts';

const hashOf = (number: bigint, variant = 'a') => sha256(utf8(`${variant} ${number}`));

function block(number: bigint, changes: Partial<GuardedBlock> = {}): GuardedBlock {
  const chain = { headerHash: hashOf(number), previousHash: hashOf(number - 1n) };
  return { channel: 'ch', number, ...chain, ...changes };
}

async function guarded(
  dir: string,
  use: (guard: BlockGuard) => void | Promise<void>,
): Promise<void> {
  await using guard = await BlockGuard.open(dir);
  await use(guard);
}

/** A directory whose guard recorded blocks 1 to `count`. */
async function recordedDir(t: TestScope, count: bigint): Promise<{ dir: string; file: string }> {
  const dir = temporaryDir(t);
  await guarded(dir, async (guard) => {
    for (let number = 1n; number <= count; number += 1n) await guard.allow(block(number));
  });
  return { dir, file: join(dir, 'blocks.guard') };
}

t.test('one height has one block; the same one may come again', async (t) => {
  await guarded(temporaryDir(t), async (guard) => {
    await t.rejects(guard.allow(block(6n)), { code: 'HSM_BLOCK_GAP' }, 'in the middle of a chain');
    for (let number = 1n; number <= 6n; number += 1n) await guard.allow(block(number));
    await guard.allow(block(6n));
    const rival = block(6n, { headerHash: hashOf(6n, 'b') });
    await t.rejects(guard.allow(rival), { code: 'HSM_BLOCK_CONFLICT', kind: 'conflict' });
    await t.rejects(guard.allow(block(5n)), { code: 'HSM_BLOCK_PAST' });
    await t.rejects(guard.allow(block(8n)), { code: 'HSM_BLOCK_GAP' });
    const unlinked = block(7n, { previousHash: hashOf(6n, 'b') });
    await t.rejects(guard.allow(unlinked), { code: 'HSM_BLOCK_GAP' }, 'on another chain');
    await guard.allow(block(7n));
    await guard.allow(block(1n, { channel: 'other' }));
  });
});

t.test('a restart forgets nothing', async (t) => {
  const { dir } = await recordedDir(t, 3n);
  await guarded(dir, async (guard) => {
    const rival = block(3n, { headerHash: hashOf(3n, 'b') });
    await t.rejects(guard.allow(rival), { code: 'HSM_BLOCK_CONFLICT' });
    await t.rejects(guard.allow(block(2n)), { code: 'HSM_BLOCK_PAST' });
    await guard.allow(block(3n));
    await guard.allow(block(4n));
  });
});

t.test('a record cut short is forgotten, and the records before it are not', async (t) => {
  const { dir, file } = await recordedDir(t, 3n);
  const whole = readFileSync(file);
  // The first record is the epoch's, the last that of block 3.
  const last = whole.length - recordBytes;
  // The replay of the file reads it cut at every byte; here the host goes on from some of them.
  for (let cut = last; cut < whole.length; cut += cut < whole.length - 16 ? 16 : 1) {
    // Where the file had grown before the crash, zeros stand in for what was not written.
    const tails = cut % 8 === 0 ? (['', 'zeros'] as const) : ([''] as const);
    for (const tail of tails) {
      const cutBytes = Buffer.alloc(tail === '' ? cut : whole.length);
      whole.copy(cutBytes, 0, 0, cut);
      writeFileSync(file, cutBytes);
      // From the last byte of the check sum on the record counts, and refuses its rival.
      const recorded = cut >= whole.length - 4;
      await guarded(dir, async (guard) => {
        const rival = block(3n, { headerHash: hashOf(3n, 'b') });
        const older = block(2n, { headerHash: hashOf(2n, 'b') });
        let refused = '';
        try {
          await guard.allow(recorded ? rival : older);
        } catch (error) {
          refused = (error as { code: string }).code;
        }
        if (refused !== 'HSM_BLOCK_CONFLICT') t.fail(`cut at ${cut} ${tail}: ${refused}`);
        await guard.allow(block(3n));
      });
      if (statSync(file).size !== whole.length + recordBytes)
        t.fail(`cut at ${cut} ${tail}: the file's length`);
    }
  }
  t.pass('every cut was recovered from');
});

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
  await first.allow(block(1n));
});

const disk = mountSmallDisk(temporaryDir(t), '8k');
t.teardown(disk.unmount);

const fullTitle = 'a full disk refuses the block and leaves the guard in use';
t.test(fullTitle, { skip: disk.notMounted }, async (t) => {
  await guarded(disk.dir, async (guard) => {
    let number = 1n;
    const refusal = await t.rejects(async () => {
      for (; number < 100n; number += 1n) await guard.allow(block(number));
    });
    t.match(refusal, { code: 'HSM_GUARD_FULL', kind: 'busy' });
    await t.rejects(guard.allow(block(number)), { code: 'HSM_GUARD_FULL' }, 'and says so again');
    execFileSync('mount', ['-o', 'remount,size=16k', disk.dir]);
    await guard.allow(block(number));
  });
});

t.test('a disk that is full at the start is said so', async (t) => {
  const dir = temporaryDir(t);
  symlinkSync('/dev/full', join(dir, 'blocks.guard'));
  await t.rejects(BlockGuard.open(dir), { code: 'HSM_GUARD_FULL', kind: 'busy' });
});

t.test('a device that takes every byte and cannot sync one is refused', async (t) => {
  const dir = temporaryDir(t);
  symlinkSync('/dev/null', join(dir, 'blocks.guard'));
  await t.rejects(BlockGuard.open(dir), { code: 'HSM_GUARD_READONLY', kind: 'broken' });
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
  const { dir, file } = await recordedDir(t, 1n);
  const count = BigInt(limits.guardRecordsMax);
  const records = Array.from({ length: Number(count) - 1 }, (_none, index) => {
    const { channel, number, headerHash } = block(BigInt(index) + 2n);
    return encodeRecord({ kind: 'block', epoch: 1n, channel, number, headerHash }, number + 1n);
  });
  appendFileSync(file, Buffer.concat(records));
  await guarded(dir, async (guard) => {
    await guard.allow(block(1n, { channel: 'other' }));
    await guard.allow(block(count + 1n));
  });
  t.equal(statSync(file).size, 4 * recordBytes, 'the epoch, one channel, and two new records');
  await guarded(dir, async (guard) => {
    const conflict = { code: 'HSM_BLOCK_CONFLICT' };
    const rival = block(count + 1n, { headerHash: hashOf(0n, 'b') });
    await t.rejects(guard.allow(rival), conflict);
    await t.rejects(guard.allow({ ...rival, channel: 'other', number: 1n }), conflict);
    await guard.allow(block(count + 2n));
  });
});

t.test('a crash between the last record of a file and the new file loses nothing', async (t) => {
  const { dir, file } = await recordedDir(t, 3n);
  const moved = { kind: 'moved', epoch: 1n, channel: '', number: 0n } as const;
  const record = encodeRecord({ ...moved, headerHash: new Uint8Array(32) }, 5n);
  appendFileSync(file, record);
  await guarded(dir, async (guard) => {
    await t.rejects(guard.allow(block(3n, { headerHash: hashOf(3n, 'b') })), {
      code: 'HSM_BLOCK_CONFLICT',
    });
    await guard.allow(block(4n));
  });
});

t.test('no mutation of a record passes for another record', async (t) => {
  const number = 2n ** 64n - 1n;
  const headerHash = hashOf(1n);
  const record = { kind: 'floor', epoch: 7n, channel: 'ch', number, headerHash } as const;
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
