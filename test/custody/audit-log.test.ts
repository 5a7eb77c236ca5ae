import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { Test } from 'tap';
import { Fault, textOf, toBase64Url, utf8 } from '#base';
import { AuditFile, parseSignedOrder, verifyAuditLog } from '#custody';
import type { AuditLogReport, KnownRecord } from '#custody';
import { mountSmallDisk } from '../support/small-disk.ts';
import { fuzz, mutate, seededRandom } from '../crypto/fuzzing.ts';
import { DeskSetting } from './desk-setting.ts';
import { operatorSetting } from '../support/operators.ts';
import { temporaryDir } from '../support/temporary-dir.ts';
import { outcomeOf } from '../support/outcome-of.ts';

const everyone = ['alice', 'bob', 'carol'];

function verify(
  setting: DeskSetting,
  bytes: Uint8Array,
  known: readonly KnownRecord[] = [],
): AuditLogReport {
  return verifyAuditLog(bytes, {
    zone: 'test-zone',
    token: 'org1',
    keys: [setting.publicKey],
    known,
  });
}

/** A log with orders of every outcome, and a policy that was changed in between. */
async function story(t: Test): Promise<{ setting: DeskSetting; text: Buffer; head: KnownRecord }> {
  const setting = new DeskSetting(t.testdir());
  using open = setting.open();
  const { desk } = open;
  await desk.submit(setting.order());
  const destroy = setting.order({ action: 'key.destroy', sequence: 2 }, everyone);
  await desk.submit(destroy);
  setting.nowMs = 9_000_000;
  await desk.submit(destroy);
  const bad = setting.order({ action: 'policy.change', sequence: 3, parameters: { policy: '{}' } });
  await t.rejects(desk.submit(bad));
  const policy = textOf(operatorSetting().policyBytes);
  await desk.submit(
    setting.order({ action: 'policy.change', sequence: 4, parameters: { policy } }),
  );
  open.log.note('key.drained', { key: 'node0' });
  await open.log.checkpoint();
  return { setting, text: readFileSync(setting.auditPath), head: open.log.head };
}

t.test('a log is verified together with every order in it', async (t) => {
  const { setting, text, head } = await story(t);
  t.match(verify(setting, text, [head]), {
    ordersCount: 4,
    lastSequence: 4,
    tornBytes: 0,
    newestOrders: [
      { action: 'key.rotate', state: 'executed' },
      { action: 'key.destroy', state: 'executed' },
      { action: 'policy.change', state: 'failed' },
      { action: 'policy.change', state: 'executed' },
    ],
  });
});

t.test('a log that was cut is never taken for whole, wherever it was cut', async (t) => {
  const { setting, text, head } = await story(t);
  const wrong: string[] = [];
  for (const cut of cutsOf(text).filter((at) => at < text.length)) {
    const outcome = outcomeOf(() => verify(setting, text.subarray(0, cut), [head]));
    if (!/^CUSTODY_AUDIT_(TRUNCATED|CHAIN_BROKEN)$/.test(outcome)) wrong.push(`${cut} ${outcome}`);
  }
  t.strictSame(wrong, []);
});

t.test('a host takes up a log that was torn at any place, at its last whole record', async (t) => {
  const { setting, text } = await story(t);
  const ends = endsOf(text);
  const policies = [setting.operators.policyBytes, readFileSync(setting.policyPath)];
  const wrong: number[] = [];
  for (const cut of cutsOf(text).filter((at) => at >= (ends[0] ?? 0))) {
    writeFileSync(setting.auditPath, text.subarray(0, cut));
    const end = ends.findLast((one) => one <= cut);
    const whole = text.subarray(0, end);
    // The policy's file was changed in the middle of the story.
    const isTakenUp = policies.some((policy) => {
      writeFileSync(setting.policyPath, policy);
      return outcomeOf(() => setting.open()[Symbol.dispose]()) === 'fine';
    });
    const kept = readFileSync(setting.auditPath).subarray(0, end);
    if (!isTakenUp || !kept.equals(whole)) wrong.push(cut);
  }
  t.strictSame(wrong, []);
});

t.test('any byte changed before the newest checkpoint is found out', async (t) => {
  const { setting, text } = await story(t);
  const accepted: number[] = [];
  const last = text.lastIndexOf('\n', text.length - 2);
  for (let at = 0; at <= last; at += 97) {
    const changed = Buffer.from(text);
    changed[at] = (changed[at] ?? 0) ^ 0x01;
    if (outcomeOf(() => verify(setting, changed)) === 'fine') accepted.push(at);
  }
  t.strictSame(accepted, []);
});

t.test('a host does not start on a log that was changed before its last record', async (t) => {
  const { setting, text } = await story(t);
  const last = text.lastIndexOf('\n', text.length - 2);
  const started: number[] = [];
  for (let at = 0; at < last; at += 211) {
    const changed = Buffer.from(text);
    changed[at] = (changed[at] ?? 0) ^ 0x02;
    writeFileSync(setting.auditPath, changed);
    if (outcomeOf(() => setting.open()[Symbol.dispose]()) === 'fine') started.push(at);
  }
  t.strictSame(started, []);
});

t.test(
  'an order that nobody approved is found in a log that holds together otherwise',
  async (t) => {
    const setting = new DeskSetting(t.testdir());
    setting.open()[Symbol.dispose]();
    const order = parseSignedOrder(setting.order({}, ['alice']));
    const signed = toBase64Url(order.signedBytes);
    const cases: readonly [event: string, facts: Record<string, string>][] = [
      ['order.started', { order: order.hash, signed }],
      ['order.started', { order: order.hash, signed: '%' }],
      ['order.executed', { order: order.hash }],
      ['policy.adopted', { policy: toBase64Url(operatorSetting().policyBytes) }],
    ];
    const before = readFileSync(setting.auditPath);
    for (const [event, facts] of cases) {
      writeFileSync(setting.auditPath, before);
      {
        const { auditPath: path, clock, logName: log } = setting;
        using file = new AuditFile({ path, log, clock });
        file.append(event, facts);
      }
      t.throws(() => setting.open(), { code: 'CUSTODY_AUDIT_ORDER_INVALID' }, event);
      const text = readFileSync(setting.auditPath);
      t.throws(() => verify(setting, text), { code: 'CUSTODY_AUDIT_ORDER_INVALID' }, event);
    }
  },
);

t.test('a log without a checkpoint proves nothing', async (t) => {
  const setting = new DeskSetting(t.testdir());
  setting.isTokenAway = true;
  setting.open()[Symbol.dispose]();
  const text = readFileSync(setting.auditPath);
  t.throws(() => verify(setting, text), { code: 'CUSTODY_AUDIT_UNSIGNED' });
});

const disk = mountSmallDisk(temporaryDir(t), '64k');
t.teardown(() => disk.unmount());

t.test('a full disk keeps orders from being carried out', { skip: disk.notMounted }, async (t) => {
  const setting = new DeskSetting(join(disk.dir, 'host'));
  using open = setting.open();
  await open.log.checkpoint();
  const before = readFileSync(setting.auditPath);
  fill(join(disk.dir, 'ballast'));
  const parameters = { key: 'k'.repeat(5_000) };
  const order = setting.order({ parameters });
  await t.rejects(open.desk.submit(order), { code: 'CUSTODY_AUDIT_FULL' });
  t.strictSame(setting.done, []);
  t.ok(readFileSync(setting.auditPath).equals(before), 'nothing half written is left');
  rmSync(join(disk.dir, 'ballast'));
  await open.desk.submit(order);
  t.equal(setting.done.length, 1, 'with space there is no need for a restart');
});

t.test(
  'an outcome that finds no space counts as an interruption',
  { skip: disk.notMounted },
  async (t) => {
    const setting = new DeskSetting(join(disk.dir, 'second'));
    const ballast = join(disk.dir, 'ballast');
    setting.actions['key.rotate'] = () => {
      fill(ballast);
      return Promise.resolve({ one: 'c'.repeat(4_000), two: 'c'.repeat(4_000) });
    };
    using open = setting.open();
    await t.rejects(open.desk.submit(setting.order()), { code: 'CUSTODY_AUDIT_FULL' });
    rmSync(ballast);
    setting.actions['key.rotate'] = () => Promise.resolve({});
    t.match(open.log.history.told, [{ state: 'started' }]);
    await open.desk.submit(setting.order({ sequence: 2, action: 'key.destroy' }, everyone));
    t.match(open.log.history.told, [{ state: 'interrupted' }], 'the next order finds it so');
  },
);

t.test('mutated logs and submissions end in faults only', async (t) => {
  const { setting, text } = await story(t);
  const logs = fuzz((bytes) => verify(setting, bytes), text, { seed: 41, rounds: 150 });
  t.strictSame(logs.escaped, []);
  t.ok(logs.refused > 130, `${logs.refused} refused`);
  const fresh = new DeskSetting(t.testdir());
  using open = fresh.open();
  const random = seededRandom(42);
  const order = fresh.order();
  const escaped: unknown[] = [];
  for (let round = 0; round < 200; round += 1) {
    await open.desk.submit(mutate(order, random)).catch((error: unknown) => {
      if (!(error instanceof Fault)) escaped.push(error);
    });
  }
  t.strictSame(escaped, []);
  t.ok(fresh.done.length <= 1, 'at most white space was changed');
});

/** Takes all the space that is left on the small disk. */
function fill(path: string): void {
  try {
    writeFileSync(path, Buffer.alloc(64 * 1024));
  } catch (error) {
    if ((error as { code?: string }).code !== 'ENOSPC') throw error;
  }
}

function endsOf(text: Buffer): number[] {
  return [...text.entries()].filter(([, byte]) => byte === 0x0a).map(([index]) => index + 1);
}

/** Of each record: nothing of it, a byte, half, all but the newline, all. */
function cutsOf(text: Buffer): number[] {
  const ends = endsOf(text);
  return ends.flatMap((end, index) => {
    const start = ends[index - 1] ?? 0;
    return [start + 1, (start + end) >> 1, end - 1, end];
  });
}

t.test('what is not text is no log', (t) => {
  const setting = new DeskSetting(t.testdir());
  for (const bytes of [utf8('\n'), utf8('{}\n'), Uint8Array.of(0xff, 0x0a)]) {
    t.throws(() => verify(setting, bytes), { code: 'CUSTODY_AUDIT_LINE_INVALID' });
  }
  t.throws(() => verify(setting, utf8('')), { code: 'CUSTODY_AUDIT_UNSIGNED' });
  t.end();
});
