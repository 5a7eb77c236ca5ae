import { readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { silentLog } from '#base';
import { BlockFiles } from '../../ledger/block-files.ts';
import type { Place } from '../../ledger/block-files.ts';
import { frameKinds } from '../../ledger/frames.ts';
import { recoverBlockFiles } from '../../ledger/recovery.ts';
import type { Store } from '../../ledger/store.ts';
import { temporaryDir } from '../support/temporary-dir.ts';

const fileBytesMax = 1_000;
const recover = (dir: string) => recoverBlockFiles(dir, {} as Store, undefined, silentLog);

/** Twelve blocks of two frames each, in files of a few blocks. */
async function fillFiles(dir: string): Promise<Place[]> {
  await using files = new BlockFiles(dir, { file: 0, offset: 0 }, fileBytesMax);
  const places: Place[] = [];
  for (let number = 0n; number < 12n; number += 1n) {
    const payload = new Uint8Array(300).fill(Number(number));
    places.push(await files.append({ kind: frameKinds.proposed, number, payload }));
    await files.append({ kind: frameKinds.sealed, number, payload: payload.subarray(0, 40) });
  }
  return places;
}

t.test('blocks go on in the next file, a block and its seal together', async (t) => {
  const dir = temporaryDir(t);
  const places = await fillFiles(dir);
  t.same(
    readdirSync(dir),
    ['blocks-000000', 'blocks-000001', 'blocks-000002', 'blocks-000003'],
    'three blocks a file',
  );
  const { files, found } = recover(dir);
  t.equal(found.length, 12);
  for (const [index, { place, metadataPlace, complete }] of found.entries()) {
    t.ok(complete);
    t.same(place, places[index]);
    t.equal(metadataPlace?.file, place.file);
    t.same(files.read(place).payload, new Uint8Array(300).fill(index));
  }
  await files.append({ kind: frameKinds.block, number: 12n, payload: new Uint8Array(1) });
  t.equal(recover(dir).found.length, 13);
  await files[Symbol.asyncDispose]();
});

t.test('a file may be missing only at the end, and only the last may be torn', async (t) => {
  const dir = temporaryDir(t);
  await fillFiles(dir);
  const first = join(dir, 'blocks-000001');
  const bytes = readFileSync(first);
  truncateSync(first, bytes.length - 1);
  t.throws(() => recover(dir), { code: 'LEDGER_FILE_CORRUPT', detail: { path: first } });
  rmSync(first);
  t.throws(() => recover(dir), { code: 'LEDGER_FILE_CORRUPT' });
  writeFileSync(first, bytes);
  t.equal(recover(dir).found.length, 12);
  rmSync(join(dir, 'blocks-000003'));
  t.equal(recover(dir).found.length, 9);
});

t.test('a file whose creation did not finish is made again', async (t) => {
  const dir = temporaryDir(t);
  await fillFiles(dir);
  for (const bytes of [0, 7, 20]) {
    writeFileSync(join(dir, 'blocks-000004'), new Uint8Array(bytes));
    const { files, found } = recover(dir);
    t.equal(found.length, 12);
    t.equal(files.end.file, 3);
    t.notOk(readdirSync(dir).includes('blocks-000004'));
  }
});

t.test('frames that are whole but out of order are damage', async (t) => {
  const payload = new Uint8Array(3);
  const { proposed, sealed, block } = frameKinds;
  const series = [
    [{ kind: sealed, number: 0n }],
    [{ kind: block, number: 1n }],
    [
      { kind: block, number: 0n },
      { kind: block, number: 0n },
    ],
    [
      { kind: proposed, number: 0n },
      { kind: proposed, number: 1n },
    ],
    [
      { kind: proposed, number: 0n },
      { kind: sealed, number: 1n },
    ],
    [
      { kind: block, number: 0n },
      { kind: sealed, number: 0n },
    ],
  ];
  for (const frames of series) {
    const dir = temporaryDir(t);
    await using files = new BlockFiles(dir, { file: 0, offset: 0 });
    for (const frame of frames) await files.append({ ...frame, payload });
    t.throws(() => recover(dir), { code: 'LEDGER_FILE_CORRUPT' });
  }
});
