import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { Fault, silentLog } from '#base';
import { fileHeadBytes, parseFileHead } from '../../ledger/block-file-head.ts';
import { frameHead, frameHeadBytes, frameKinds, parseFrameHead } from '../../ledger/frames.ts';
import { recoverBlockFiles } from '../../ledger/recovery.ts';
import type { Store } from '../../ledger/store.ts';
import { openTestLedger, write } from './support.ts';
import { temporaryDir } from '../support/temporary-dir.ts';

function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

t.test('a head is what was written, and no other bytes are one', (t) => {
  const payload = Uint8Array.of(1, 2, 3);
  const frame = { kind: frameKinds.sealed, number: 2n ** 64n - 1n, payload };
  const head = frameHead(frame, 77);
  t.match(parseFrameHead(head, 77), { kind: 2, number: 2n ** 64n - 1n, payloadBytes: 3 });
  t.equal(parseFrameHead(head, 78), undefined, 'nor with the salt of another file');
  const taken = Array.from({ length: frameHeadBytes * 8 }, (_, bit) => {
    const changed = Uint8Array.from(head);
    changed[bit >> 3]! ^= 1 << (bit & 7);
    return parseFrameHead(changed, 77);
  });
  t.ok(taken.every((parsed) => parsed === undefined));
  t.equal(parseFrameHead(head.subarray(1), 77), undefined);
  t.equal(parseFileHead(head.subarray(0, fileHeadBytes)), undefined);
  t.end();
});

t.test(
  'whatever a block file holds, it opens to a prefix or says that it is damaged',
  async (t) => {
    const dir = temporaryDir(t);
    {
      await using ledger = await openTestLedger(dir);
      for (const name of ['a', 'b', 'c']) await write(ledger, { name, writes: [['k', name]] });
    }
    const original = readFileSync(join(dir, 'blocks-000000'));
    const copy = join(dir, 'copy');
    const file = join(copy, 'blocks-000000');
    mkdirSync(copy);
    const below = random(1_502);
    const outcomes = { opened: 0, damaged: 0, other: [] as unknown[] };
    for (let round = 0; round < 600; round += 1) {
      let bytes = Buffer.from(original);
      for (let change = below(3); change >= 0; change -= 1) bytes = mutate(bytes, below);
      writeFileSync(file, bytes);
      try {
        const { found, files } = recoverBlockFiles(copy, {} as Store, undefined, silentLog);
        outcomes.opened += 1;
        // What it kept is the original's beginning, byte for byte.
        const kept = existsSync(file) ? readFileSync(file) : Buffer.alloc(0);
        const prefix = kept.equals(original.subarray(0, kept.length));
        const isWhole = found.every(({ number }, index) => number === BigInt(index));
        const ends = found.length === 0 || files.end.offset === kept.length;
        if (!prefix || !isWhole || !ends) outcomes.other.push({ round, prefix, isWhole, ends });
      } catch (error) {
        if (error instanceof Fault && error.code === 'LEDGER_FILE_CORRUPT') outcomes.damaged += 1;
        else outcomes.other.push(error);
      }
    }
    t.same(outcomes.other, []);
    t.ok(outcomes.opened > 50 && outcomes.damaged > 50, JSON.stringify(outcomes));
  },
);

function mutate(bytes: Buffer<ArrayBuffer>, below: (limit: number) => number): Buffer<ArrayBuffer> {
  const at = below(bytes.length);
  const kind = below(4);
  if (kind === 0) return bytes.subarray(0, at);
  const changed = Buffer.from(bytes);
  if (kind === 1) changed[at]! ^= 1 << below(8);
  else if (kind === 2) changed.fill(0, at);
  else changed.copyWithin(at, below(bytes.length), below(bytes.length));
  return changed;
}
