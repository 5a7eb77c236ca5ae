import { appendFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { Test } from 'tap';
import { toHex, utf8 } from '#base';
import { sha256 } from '#crypto';
import { segmentPath } from '#custody';
import type { KnownOfLog, KnownRecord } from '#custody';
import { fuzz } from '../crypto/fuzzing.ts';
import { eventually } from '../support/eventually.ts';
import { mountSmallDisk } from '../support/small-disk.ts';
import { LoggedToken, batchOf } from './logged-token.ts';
import { temporaryDir } from '../support/temporary-dir.ts';
import { outcomeOf } from '../support/outcome-of.ts';

interface Story {
  readonly token: LoggedToken;
  readonly segments: readonly Buffer[];
  /** What somebody has noted of the log's end. */
  readonly known: KnownRecord;
}

/** A log of three runs of a host, each ended in order. */
async function story(t: Test): Promise<Story> {
  const token = new LoggedToken(temporaryDir(t));
  for (const run of ['first', 'second', 'third']) {
    using log = token.open();
    for (let call = 0; call < 9; call += 1) await log.record(batchOf(`${run} ${call}`, 2));
    log.anchor('0x1800100+7', BigInt(run.length));
    await log.finish();
  }
  const segments = token.segments();
  const { lastRecord, lastHash } = token.verify(segments).report;
  return { token, segments, known: { sequence: lastRecord, hash: lastHash } };
}

t.test('what is signed is in the log, with its key and its kind', async (t) => {
  const token = new LoggedToken(temporaryDir(t));
  const wanted = Array.from({ length: 64 }, (_unused, call) => batchOf(`call ${call}`, 3));
  using log = token.open();
  await Promise.all(wanted.map((one) => log.record(one)));
  await log.finish();
  const { report, signatures } = token.verify();
  const shown = (all: typeof signatures) =>
    all.map(({ label, kind, digest }) => `${label} ${kind} ${toHex(digest)}`).toSorted();
  t.strictSame(shown(signatures), shown(wanted.flat()));
  t.match(report, { signatures: 192, segments: 1, firstSequence: 1, tornBytes: 0 });
  t.ok(report.records <= 6, `${report.records} records: calls share one`);
  t.strictSame(Object.keys(report.keys), ['node0', 'relay of zone~2']);
});

t.test('a checkpoint follows by itself, and a full file ends with one', async (t) => {
  const token = new LoggedToken(temporaryDir(t));
  using log = token.open({ bounds: { segmentBytesMax: 2_000 } });
  await eventually(async () => {
    await log.record(batchOf('more', 2));
    if (token.rolls < 2) throw new Error(`${token.rolls} files are full`);
  });
  await log.finish();
  t.equal(log.unsignedMs, 0);
  t.strictSame(token.delays, []);
  const segments = token.segments();
  for (const one of segments) t.match(lastOf(one), { event: 'checkpoint' });
  t.equal(token.verify(segments).report.segments, segments.length);
  const kept = token.verify(segments.slice(1)).report;
  t.ok(kept.firstSequence > 1, 'what was moved away is seen to be');
  t.match(lastOf(segments[0]!), { sequence: kept.firstSequence - 1 });
});

t.test('every byte changed before the newest checkpoint is found', async (t) => {
  const { token, segments } = await story(t);
  const accepted: string[] = [];
  for (const [index, segment] of segments.entries()) {
    const isLast = index === segments.length - 1;
    const end = isLast ? segment.lastIndexOf('\n', segment.length - 2) : segment.length;
    for (let at = index; at < end; at += 13) {
      const changed = Buffer.from(segment);
      changed[at] = (changed[at] ?? 0) ^ 0x01;
      if (verdict(token, segments.with(index, changed)) === 'fine') accepted.push(`${index} ${at}`);
    }
  }
  t.strictSame(accepted, []);
});

t.test('every record taken out, doubled, moved or made anew is found', async (t) => {
  const { token, segments } = await story(t);
  const lines = segments.map((one) => linesOf(one));
  const accepted: string[] = [];
  const attempt = (what: string, changed: string[][]) => {
    const texts = changed.map((one) => Buffer.from(one.map((line) => `${line}\n`).join('')));
    if (verdict(token, texts) === 'fine') accepted.push(what);
  };
  const places = lines.flatMap((all, file) => all.map((_line, line) => ({ file, line })));
  // Without the last line the log is one that was not gone on with: the next test is of those.
  for (const { file, line } of places.slice(0, -1)) {
    const all = lines[file] as string[];
    const text = all[line] as string;
    attempt(`out ${file} ${line}`, lines.with(file, all.toSpliced(line, 1)));
    attempt(`doubled ${file} ${line}`, lines.with(file, all.toSpliced(line, 0, text)));
    const other = line === 0 ? 1 : line - 1;
    const swapped = all.with(line, all[other] as string).with(other, text);
    attempt(`moved ${file} ${line}`, lines.with(file, swapped));
    attempt(`anew ${file} ${line}`, madeAnew(lines, { file, line }));
  }
  attempt('files changed about', lines.toReversed());
  attempt('a file taken out', lines.toSpliced(1, 1));
  attempt('a file doubled', lines.toSpliced(1, 0, lines[1] as string[]));
  t.ok(places.length > 25, `${places.length} records`);
  t.strictSame(accepted, []);
});

t.test('an end that was cut off is found by a note of it, or by the counter', async (t) => {
  const { token, segments, known } = await story(t);
  const accepted: string[] = [];
  const attempt = (what: string, changed: readonly Buffer[], of: KnownOfLog) => {
    if (verdict(token, changed, of) === 'fine') accepted.push(what);
  };
  t.equal(verdict(token, segments, { known: [known], anchored: 5n }), 'fine');
  const last = segments.at(-1)!;
  for (let cut = 0; cut < last.length; cut += 7) {
    attempt(`${cut}`, segments.with(segments.length - 1, last.subarray(0, cut)), {
      known: [known],
    });
  }
  attempt('a file', segments.slice(0, -1), { known: [known] });
  t.equal(verdict(token, segments, { anchored: 6n }), 'CUSTODY_AUDIT_TRUNCATED');
  t.equal(verdict(token, segments.slice(0, 1), { anchored: 6n }), 'CUSTODY_AUDIT_TRUNCATED');
  t.strictSame(accepted, []);
});

t.test('a log that a crash tore at any place goes on at its last whole record', async (t) => {
  const { token, segments } = await story(t);
  const path = segmentPath(token.dir, 3);
  const next = segmentPath(token.dir, 4);
  const last = segments.at(-1)!;
  const wrong: string[] = [];
  for (let cut = last.length - 1; cut >= 0; cut -= 61) {
    writeFileSync(path, last.subarray(0, cut));
    using log = token.open();
    await log.record(batchOf(`after ${cut}`, 1));
    await log.finish();
    const { signatures } = token.verify();
    if (!signatures.some(({ digest }) => isOf(digest, `after ${cut}`))) wrong.push(`${cut}`);
    rmSync(next, { force: true });
  }
  t.strictSame(wrong, []);
  appendFileSync(path, '{"sequence":1}\n');
  t.throws(() => token.open(), { code: 'CUSTODY_AUDIT_BROKEN' }, 'no crash writes whole lines');
});

t.test('sectors that a power cut kept from the disk end the log, and many do not', async (t) => {
  const { token, segments } = await story(t);
  const path = segmentPath(token.dir, 3);
  const last = segments.at(-1)!;
  const wrong: string[] = [];
  const startsOn = (from: number, length: number) => {
    const torn = Buffer.concat([last, Buffer.alloc(65_536)]).fill(0, from, from + length);
    writeFileSync(path, torn);
    rmSync(segmentPath(token.dir, 4), { force: true });
    return outcomeOf(() => token.open()[Symbol.dispose]());
  };
  // The last two lines, such as a record and a checkpoint that no sync had confirmed yet.
  const unconfirmed = last.lastIndexOf('\n', last.lastIndexOf('\n', last.length - 2) - 1) + 1;
  for (let from = unconfirmed; from < last.length; from += 97) {
    if (startsOn(from, 64) !== 'fine') wrong.push(`${from}`);
  }
  t.strictSame(wrong, []);
  t.equal(startsOn(last.indexOf('\n') + 50, 64), 'CUSTODY_AUDIT_BROKEN');
  t.equal(linesOf(last).length > 9, true, 'more lines than a crash leaves');
});

t.test('a host that was succeeded signs no more, and harms nothing', async (t) => {
  const token = new LoggedToken(temporaryDir(t));
  using stopped = token.open();
  await stopped.record(batchOf('before', 1));
  using heir = token.open();
  await heir.record(batchOf('heir', 1));
  await t.rejects(stopped.record(batchOf('after', 1)), { code: 'HSM_GUARD_FENCED', kind: 'fatal' });
  await t.rejects(stopped.record(batchOf('after', 1)), { code: 'HSM_GUARD_FENCED' });
  t.match(stopped.failure, { code: 'HSM_GUARD_FENCED' });
  await stopped.finish();
  t.throws(() => stopped.anchor('0x1800100+7', 9n), { code: 'HSM_GUARD_FENCED' });
  await heir.finish();
  t.equal(token.verify().report.signatures, 2);
});

t.test('without its checkpoint a log proves nothing, and says so', async (t) => {
  const token = new LoggedToken(temporaryDir(t));
  token.isTokenAway = true;
  using log = token.open();
  await log.record(batchOf('unsigned', 1));
  await log.finish();
  t.equal(token.delays.length, 2);
  t.ok(log.unsignedMs > 0);
  t.throws(() => token.verify(), { code: 'CUSTODY_AUDIT_UNSIGNED' });
});

t.test('a clock that was turned back does not end signing', async (t) => {
  const token = new LoggedToken(temporaryDir(t));
  using log = token.open();
  await log.record(batchOf('now', 1));
  token.nowMs -= 3_600_000;
  await log.record(batchOf('then', 1));
  await log.finish();
  t.equal(token.verify().report.lastTimeMs, 5_000_000);
});

const disk = mountSmallDisk(temporaryDir(t), '64k');
t.teardown(() => disk.unmount());

t.test(
  'on a full disk nothing is signed until there is space',
  { skip: disk.notMounted },
  async (t) => {
    const token = new LoggedToken(join(disk.dir, 'signatures'));
    const ballast = join(disk.dir, 'ballast');
    using log = token.open();
    await log.record(batchOf('before', 1));
    fill(ballast);
    const large = batchOf('large', 4_000);
    await t.rejects(log.record(large), { code: 'CUSTODY_AUDIT_FULL', kind: 'busy' });
    truncateSync(ballast, 0);
    await log.record(batchOf('after', 1));
    await log.finish();
    t.equal(token.verify().report.signatures, 2, 'nothing half written is left');
  },
);

t.test('mutated logs end in faults only', async (t) => {
  const { token, segments } = await story(t);
  const outcome = fuzz((bytes) => token.verify([bytes]), segments[0]!, { seed: 7, rounds: 200 });
  t.strictSame(outcome.escaped, []);
  t.ok(outcome.refused > 150, `${outcome.refused} refused`);
});

function verdict(token: LoggedToken, segments: readonly Uint8Array[], known: KnownOfLog = {}) {
  return outcomeOf(() => token.verify(segments, known));
}

function linesOf(segment: Uint8Array): string[] {
  return Buffer.from(segment).toString('utf8').split('\n').slice(0, -1);
}

function lastOf(segment: Uint8Array): unknown {
  return JSON.parse(linesOf(segment).at(-1) ?? '');
}

/** One record changed, and the chain after it made to fit, by somebody without the key. */
function madeAnew(lines: string[][], place: { file: number; line: number }): string[][] {
  let previous: string | undefined;
  return lines.map((all, file) =>
    all.map((text, line) => {
      const record = JSON.parse(text) as { timeMs: number; previous: string };
      if (previous !== undefined) record.previous = previous;
      const isPlace = file === place.file && line === place.line;
      if (isPlace) record.timeMs -= 1;
      const changed = previous !== undefined || isPlace ? JSON.stringify(record) : text;
      if (changed !== text) previous = toHex(sha256(utf8(changed)));
      return changed;
    }),
  );
}

function isOf(digest: Uint8Array, name: string): boolean {
  return toHex(digest) === toHex(batchOf(name, 1)[0]!.digest);
}

function fill(path: string): void {
  for (const bytes of [4096, 512, 1]) {
    try {
      for (;;) appendFileSync(path, Buffer.alloc(bytes));
    } catch (error) {
      if ((error as { code?: string }).code !== 'ENOSPC') throw error;
    }
  }
}
