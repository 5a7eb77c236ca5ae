import { sign } from 'node:crypto';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { Test } from 'tap';
import { toBase64, utf8 } from '#base';
import { importPublicKey, normaliseEcdsa, pemBlocks } from '#crypto';
import { AuditFile, AuditVerifier, checkpointEvent, checkpointStatement } from '#custody';
import type { KnownRecord } from '#custody';
import { fuzz, seededRandom } from '../crypto/fuzzing.ts';
import { ecKeyPair } from '../support/operators.ts';

const log = 'test-zone/token-1';
const signer = ecKeyPair();
const publicKey = importPublicKey(pemBlocks(signer.publicPem, 'PUBLIC KEY')[0] as Uint8Array);

function openLog(path: string, clock = { nowMs: () => 1_000 }): AuditFile {
  return new AuditFile({ path, log, clock });
}

function addCheckpoint(file: AuditFile): void {
  const { sequence, hash } = file.head;
  const raw = sign('sha256', checkpointStatement(log, sequence + 1, hash), {
    key: signer.privateKey,
    dsaEncoding: 'ieee-p1363',
  });
  file.append(checkpointEvent, { signature: toBase64(normaliseEcdsa(raw, 'P-256')) });
}

function verify(text: Uint8Array, known: readonly KnownRecord[] = []) {
  const verifier = new AuditVerifier(log, [publicKey], { known });
  for (const line of linesOf(text)) verifier.push(line);
  return verifier.end();
}

function linesOf(text: Uint8Array): Uint8Array[] {
  const parts = Buffer.from(text).toString('latin1').split('\n').slice(0, -1);
  return parts.map((part) => Buffer.from(part, 'latin1'));
}

/** A log of 30 records with two checkpoints, the newest being the last record but one. */
function writeLog(t: Test): { path: string; text: Buffer } {
  const path = join(t.testdir(), 'audit.jsonl');
  using file = openLog(path);
  for (let index = 1; index <= 27; index += 1) {
    file.append('signature.made', { key: 'org1-node', digest: `${index}` });
    if (index === 13 || index === 26) addCheckpoint(file);
  }
  return { path, text: readFileSync(path) };
}

t.test('a log holds together from its first record to its last', async (t) => {
  t.match(verify(writeLog(t).text), { records: 29, checkpointSequence: 28, lastTimeMs: 1_000 });
});

t.test('every deletion, edit and reordering of lines is found', async (t) => {
  const lines = linesOf(writeLog(t).text);
  const random = seededRandom(5);
  const below = (bound: number) => Math.floor(random() * bound);
  const wounds: readonly [string, (lines: Uint8Array[]) => void][] = [
    ['deleted', (all) => all.splice(below(all.length - 1), 1)],
    ['doubled', (all) => all.splice(below(all.length), 0, all[below(all.length)] as Uint8Array)],
    ['swapped', (all) => all.splice(0, all.length, ...swap(all, below(all.length - 1)))],
    ['edited', (all) => (all[below(all.length - 1)] as Uint8Array).set(utf8('9'), 12)],
  ];
  for (const [what, wound] of wounds) {
    for (let round = 0; round < 40; round += 1) {
      const changed = lines.map((line) => Uint8Array.from(line));
      wound(changed);
      const text = Buffer.concat(changed.flatMap((line) => [line, utf8('\n')]));
      t.throws(() => verify(text), { code: /^CUSTODY_AUDIT_/ }, `${what} ${round}`);
    }
  }
});

t.test('a log whose records were all made anew lacks the signatures', async (t) => {
  const forger = ecKeyPair();
  const path = join(t.testdir(), 'audit.jsonl');
  using file = openLog(path);
  file.append('key.destroyed', { key: 'org1-node' });
  const { sequence, hash } = file.head;
  const statement = checkpointStatement(log, sequence + 1, hash);
  const raw = sign('sha256', statement, { key: forger.privateKey, dsaEncoding: 'ieee-p1363' });
  file.append(checkpointEvent, { signature: toBase64(normaliseEcdsa(raw, 'P-256')) });
  t.throws(() => verify(readFileSync(path)), { code: 'CUSTODY_AUDIT_CHECKPOINT_INVALID' });
});

t.test('the log of one token is not taken for that of another', async (t) => {
  const { text } = writeLog(t);
  const verifier = new AuditVerifier('test-zone/token-2', [publicKey]);
  const [first] = linesOf(text);
  t.throws(() => verifier.push(first as Uint8Array), { code: 'CUSTODY_AUDIT_CHAIN_BROKEN' });
});

t.test('an end that was cut off is found by whoever knows a later record', async (t) => {
  const { text, path } = writeLog(t);
  using file = openLog(path);
  const known = [file.head];
  t.doesNotThrow(() => verify(text, known));
  const shorter = text.subarray(0, text.lastIndexOf('\n', text.length - 2) + 1);
  t.throws(() => verify(shorter, known), { code: 'CUSTODY_AUDIT_TRUNCATED' });
  const other = [{ sequence: 20, hash: '00'.repeat(32) }];
  t.throws(() => verify(text, other), { code: 'CUSTODY_AUDIT_CHAIN_BROKEN' });
});

t.test('a line cut short by a crash is forgotten at every cut, and the log goes on', async (t) => {
  const { path, text } = writeLog(t);
  const start = text.lastIndexOf('\n', text.length - 2) + 1;
  for (let cut = start + 1; cut < text.length; cut += 1) {
    writeFileSync(path, text.subarray(0, cut));
    using file = openLog(path);
    if (file.head.sequence !== 28) t.fail(`cut at ${cut}`);
    file.append('key.destroyed', {});
  }
  t.match(verify(readFileSync(path)), { records: 29 });
});

t.test('a log that was changed is not continued', async (t) => {
  const { path, text } = writeLog(t);
  const changed = Buffer.from(text);
  changed.write('9', 12);
  writeFileSync(path, changed);
  t.throws(() => openLog(path), { code: 'CUSTODY_AUDIT_BROKEN' });
  writeFileSync(path, text);
  appendFileSync(path, 'x'.repeat(600_000));
  t.throws(() => openLog(path), { code: 'CUSTODY_AUDIT_BROKEN' }, 'no record is that long');
});

t.test('after one record that could not be written there is no further one', async (t) => {
  const file = openLog(join(t.testdir(), 'audit.jsonl'));
  file.append('key.generated', {});
  file.close();
  t.throws(() => file.append('key.destroyed', {}), { code: 'CUSTODY_AUDIT_READONLY' });
  t.throws(() => file.append('key.destroyed', {}), { code: 'CUSTODY_AUDIT_READONLY' });
  t.equal(file.head.sequence, 1, 'what was not written does not count');
});

t.test('a clock turned back ends records until it is right again', async (t) => {
  const clock = { nowMs: () => 100_000 };
  using file = openLog(join(t.testdir(), 'audit.jsonl'), clock);
  file.append('key.generated', {});
  clock.nowMs = () => 96_000;
  t.doesNotThrow(() => file.append('key.generated', {}), 'a correction of seconds');
  clock.nowMs = () => 94_000;
  t.throws(() => file.append('key.generated', {}), { code: 'CUSTODY_CLOCK_TURNED_BACK' });
  clock.nowMs = () => 100_001;
  t.doesNotThrow(() => file.append('key.generated', {}));
});

t.test('mutated logs end in faults only', async (t) => {
  const { text } = writeLog(t);
  const outcome = fuzz((bytes) => verify(bytes), text, { seed: 3, rounds: 600 });
  t.strictSame(outcome.escaped, []);
  t.ok(outcome.refused > 450, `${outcome.refused} refused`);
});

function swap<Item>(items: readonly Item[], index: number): Item[] {
  const [before, first, second, after] = [
    items.slice(0, index),
    items.slice(index, index + 1),
    items.slice(index + 1, index + 2),
    items.slice(index + 2),
  ];
  return [...before, ...second, ...first, ...after];
}
