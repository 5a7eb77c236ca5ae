import {
  appendFileSync,
  cpSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { pino } from 'pino';
import t from 'tap';
import { silentLog } from '#base';
import { openLedger } from '#ledger';
import { recoverBlockFiles } from '../../ledger/recovery.ts';
import type { Store } from '../../ledger/store.ts';
import {
  believe,
  commit,
  envelopeOf,
  fingerprint,
  headerFor,
  openTestLedger,
  testMetadata,
  write,
} from './support.ts';
import { temporaryDir } from '../support/temporary-dir.ts';

const blockFile = (dir: string) => join(dir, 'blocks-000000');
const openPlain = (dir: string) =>
  openLedger({ dir, log: silentLog, validate: believe, diskReserveBytes: 0 });

/** A ledger's block files without its tables, as it was left at some point. */
function copyBlocks(from: string, to: string): void {
  rmSync(to, { recursive: true, force: true });
  cpSync(from, to, { recursive: true, filter: (path) => !path.includes('state') });
}

async function filledLedger(dir: string): Promise<{ sizes: number[]; prints: unknown[] }> {
  const sizes: number[] = [];
  const prints: unknown[] = [];
  await using ledger = await openTestLedger(dir);
  const note = () => {
    sizes.push(readFileSync(blockFile(dir)).length);
    prints.push(fingerprint(ledger));
  };
  note();
  for (let index = 1; index <= 4; index += 1) {
    await write(ledger, {
      name: `t${index}`,
      writes: [
        ['k', `${index}`],
        [`k${index}`, 'v'],
      ],
      requests: [`a.${index}.c`],
    });
    note();
  }
  return { sizes, prints };
}

t.test('the state is made anew from the block files when it is lost', async (t) => {
  const dir = temporaryDir(t);
  const { prints } = await filledLedger(dir);
  rmSync(join(dir, 'state'), { recursive: true });
  await using ledger = await openPlain(dir);
  t.same(fingerprint(ledger), prints.at(-1));
});

t.test('a write torn at any byte is cut off, and all before it stays', async (t) => {
  const dir = temporaryDir(t);
  const copy = join(temporaryDir(t), 'copy');
  const { sizes, prints } = await filledLedger(dir);
  const [before, whole] = sizes.slice(-2) as [number, number];
  const bytes = readFileSync(blockFile(dir));
  const wrong: number[] = [];
  mkdirSync(copy);
  for (let cut = before; cut < whole; cut += 1) {
    writeFileSync(blockFile(copy), bytes.subarray(0, cut));
    const noTables = {} as Store;
    const { found, files } = recoverBlockFiles(copy, noTables, undefined, silentLog);
    const { size } = statSync(blockFile(copy));
    const complete = found.map((block) => block.complete);
    const expected = [true, true, true, true, ...(size === before ? [] : [false])];
    const right =
      size <= cut &&
      size >= before &&
      files.end.offset === size &&
      found.at(-1)?.end.offset === size &&
      isDeepStrictEqual(complete, expected);
    if (!right) wrong.push(cut);
  }
  t.same(wrong, [], `of ${whole - before} cuts`);
  // The tables cost more than the files: the whole way is gone for some of the cuts.
  for (let cut = before; cut < whole; cut += 61) {
    copyBlocks(dir, copy);
    truncateSync(blockFile(copy), cut);
    await using ledger = await openPlain(copy);
    if (ledger.proposed === undefined) t.same(fingerprint(ledger), prints.at(-2), `cut at ${cut}`);
    else {
      // The proposal was whole: it is there, and sealing it gives the very same block.
      await ledger.seal(testMetadata(0n));
      t.same(fingerprint(ledger), prints.at(-1), `cut at ${cut}, sealed again`);
    }
  }
});

t.test('a proposed block outlives a restart and can be sealed then', async (t) => {
  const dir = temporaryDir(t);
  const data = [envelopeOf({ name: 'a', writes: [['k', 'v']] })];
  let proposed;
  {
    await using ledger = await openTestLedger(dir);
    proposed = await ledger.propose({ header: headerFor(ledger, data), data });
  }
  {
    await using ledger = await openPlain(dir);
    t.same(ledger.proposed, proposed);
    t.equal(ledger.height, 1n);
    await ledger.seal(testMetadata(0n));
    t.equal(ledger.height, 2n);
  }
  await using ledger = await openPlain(dir);
  t.equal(ledger.proposed, undefined);
  t.equal(ledger.get('notary', 'k')?.version.blockNum, 1n);
});

t.test('bytes of an unfinished write are cut off whatever they are', async (t) => {
  const dir = temporaryDir(t);
  const { prints } = await filledLedger(dir);
  for (const tail of [Buffer.alloc(1), Buffer.alloc(5_000), Buffer.from('CSFR'.repeat(500))]) {
    appendFileSync(blockFile(dir), tail);
    const lines: string[] = [];
    const log = pino({ level: 'warn' }, { write: (line) => lines.push(line) });
    await using ledger = await openTestLedger(dir, { log });
    t.same(fingerprint(ledger), prints.at(-1));
    t.match(lines, [`"tornBytes":${tail.length}`], 'and said so');
    t.equal(lines.length, 1);
  }
  await using ledger = await openPlain(dir);
  await commit(ledger, { name: 'after' });
});

t.test('damage before the last frame stops the ledger and names the place', async (t) => {
  const dir = temporaryDir(t);
  const copy = join(temporaryDir(t), 'copy');
  const { sizes } = await filledLedger(dir);
  const bytes = readFileSync(blockFile(dir));
  const last = sizes.at(-2) ?? 0;
  for (let at = 0; at < last; at += 97) {
    copyBlocks(dir, copy);
    const damaged = Buffer.from(bytes);
    damaged[at]! ^= 1;
    writeFileSync(blockFile(copy), damaged);
    await t.rejects(openPlain(copy), { code: 'LEDGER_FILE_CORRUPT' }, `byte ${at}`);
    t.same(readFileSync(blockFile(copy)), damaged, 'and nothing was cut');
  }
});

t.test('a damaged block that is already applied is noticed when it is read', async (t) => {
  const dir = temporaryDir(t);
  const { sizes } = await filledLedger(dir);
  const bytes = readFileSync(blockFile(dir));
  bytes[sizes[1]! - 3]! ^= 1;
  writeFileSync(blockFile(dir), bytes);
  await using ledger = await openPlain(dir);
  t.throws(() => ledger.block(1n), { code: 'LEDGER_FILE_CORRUPT' });
  t.ok(ledger.block(2n));
});

t.test('a state that knows more than the block files is refused', async (t) => {
  const dir = temporaryDir(t);
  const { sizes } = await filledLedger(dir);
  truncateSync(blockFile(dir), sizes.at(-2));
  await t.rejects(openPlain(dir), { code: 'LEDGER_STATE_AHEAD' });
  rmSync(blockFile(dir));
  await t.rejects(openPlain(dir), { code: 'LEDGER_STATE_AHEAD' });
});

t.test('the state of another ledger is refused', async (t) => {
  const dir = temporaryDir(t);
  const other = temporaryDir(t);
  await filledLedger(dir);
  {
    await using ledger = await openTestLedger(other);
    for (const name of ['u1', 'u2', 'u3', 'u4']) {
      const writes: [string, string][] = [
        ['k', '1'],
        ['kx', 'v'],
      ];
      await write(ledger, { name, writes, requests: ['a.1.c'] });
    }
  }
  cpSync(blockFile(other), blockFile(dir));
  await t.rejects(openPlain(dir), { code: 'LEDGER_STATE_MISMATCH' });
});

t.test('blocks that no longer validate stop the ledger instead of changing it', async (t) => {
  const dir = temporaryDir(t);
  await filledLedger(dir);
  rmSync(join(dir, 'state'), { recursive: true });
  const validate = () => [];
  await t.rejects(openLedger({ dir, log: silentLog, validate }), { code: 'LEDGER_REPLAY_FAILED' });
  await using ledger = await openPlain(dir);
  t.equal(ledger.height, 5n, 'and the lock was given back');
});
