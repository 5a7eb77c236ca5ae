import { readFileSync, writeFileSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import t from 'tap';
import { textOf, utf8 } from '#base';
import { fault } from '../../custody/faults.ts';
import { operatorSetting } from '../support/operators.ts';
import { DeskSetting } from './desk-setting.ts';

const everyone = ['alice', 'bob', 'carol'];

function eventsOf(setting: DeskSetting): string[] {
  return readFileSync(setting.auditPath, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { event: string }).event)
    .filter((event) => event !== 'checkpoint');
}

t.test('an order is on record before it is carried out, and its outcome after', async (t) => {
  const setting = new DeskSetting(t.testdir());
  let seen: string[] = [];
  setting.actions['key.rotate'] = () => {
    seen = eventsOf(setting);
    return Promise.resolve({ fingerprint: 'f', certificate: 'x'.repeat(5_000) });
  };
  using open = setting.open();
  const answer = await open.desk.submit(setting.order());
  t.match(answer, { state: 'executed', result: { fingerprint: 'f' } });
  t.strictSame(seen, ['policy.adopted', 'order.started']);
  t.strictSame(eventsOf(setting), ['policy.adopted', 'order.started', 'order.executed']);
  t.equal(open.log.unsignedCount, 0, 'a checkpoint covers all of it');
  const executed = readFileSync(setting.auditPath, 'utf8');
  t.match(executed, /"result.certificate":"sha256:[0-9a-f]{64}"/, 'what is long stands as a hash');
});

t.test('what is not authorised is neither recorded nor done', async (t) => {
  const setting = new DeskSetting(t.testdir());
  using open = setting.open();
  const refused: readonly [string, () => Uint8Array, string][] = [
    ['one operator', () => setting.order({}, ['alice']), 'CUSTODY_APPROVALS_TOO_FEW'],
    ['one twice', () => setting.order({}, ['alice', 'alice']), 'CUSTODY_APPROVAL_TWICE'],
    ['a gap', () => setting.order({ sequence: 2 }), 'CUSTODY_ORDER_EARLIER_MISSING'],
    ['expired', () => setting.order({ expiresAt: 5_000 }), 'CUSTODY_ORDER_EXPIRED'],
    [
      'expired when its time-lock ends',
      () => setting.order({ action: 'key.destroy', expiresAt: 8_600 }, everyone),
      'CUSTODY_ORDER_LIFETIME_INVALID',
    ],
    ['too early', () => setting.order({ notBefore: 5_001 }), 'CUSTODY_ORDER_NOT_YET_VALID'],
    ['another token', () => setting.order({ token: 'org2' }), 'CUSTODY_ORDER_TOKEN_WRONG'],
    ['another zone', () => setting.order({ zone: 'other' }), 'CUSTODY_ORDER_ZONE_WRONG'],
    [
      'wrong policy',
      () => setting.order({ policy: 'ab'.repeat(32) }),
      'CUSTODY_ORDER_POLICY_WRONG',
    ],
    [
      'no such action here',
      () => setting.order({ action: 'key.activate' }, everyone),
      'CUSTODY_ORDER_UNKNOWN',
    ],
    ['no order', () => utf8('{}'), 'CUSTODY_DOCUMENT_INVALID'],
    ['a large one', () => new Uint8Array(200_000), 'CUSTODY_DOCUMENT_TOO_LARGE'],
  ];
  for (const [what, order, code] of refused) {
    await t.rejects(open.desk.submit(order()), { code }, what);
  }
  t.strictSame(setting.done, []);
  t.strictSame(eventsOf(setting), ['policy.adopted']);
  t.strictSame(
    setting.outcomes,
    refused.map(() => 'refused'),
  );
});

t.test('approvals of one order are none of another that differs in a byte', async (t) => {
  const setting = new DeskSetting(t.testdir());
  using open = setting.open();
  const one = JSON.parse(textOf(setting.order())) as { order: string; approvals: unknown[] };
  const other = JSON.parse(textOf(setting.order({ parameters: { key: 'node1' } }))) as typeof one;
  const mixed = utf8(JSON.stringify({ order: one.order, approvals: other.approvals }));
  await t.rejects(open.desk.submit(mixed), { code: 'CUSTODY_APPROVAL_INVALID' });
  const reordered = utf8(
    JSON.stringify({ order: one.order, approvals: one.approvals.toReversed() }),
  );
  await open.desk.submit(reordered);
  t.strictSame(setting.done, ['rotate node0'], 'approvals have no order among themselves');
});

t.test('an order is carried out once, also when it comes again after a restart', async (t) => {
  const setting = new DeskSetting(t.testdir());
  const order = setting.order();
  {
    using open = setting.open();
    const answers = await Promise.allSettled([open.desk.submit(order), open.desk.submit(order)]);
    t.strictSame(
      answers.map(({ status }) => status),
      ['fulfilled', 'rejected'],
    );
  }
  using again = setting.open();
  await t.rejects(again.desk.submit(order), { code: 'CUSTODY_ORDER_REPLAYED' });
  t.equal(again.log.history.lastSequence, 1);
  await again.desk.submit(setting.order({ sequence: 2 }));
  t.strictSame(setting.done, ['rotate node0', 'rotate node0']);
});

t.test('a time-lock runs from when the host saw the order first, across restarts', async (t) => {
  const setting = new DeskSetting(t.testdir());
  const order = setting.order({ action: 'key.destroy' }, everyone);
  {
    using open = setting.open();
    t.strictSame(await open.desk.submit(order), { state: 'waiting', untilSeconds: 8_600 });
    setting.nowMs += 1_000_000;
    t.strictSame(await open.desk.submit(order), { state: 'waiting', untilSeconds: 8_600 });
    t.match(open.log.history.waiting(6_000), [{ sequence: 1, untilSeconds: 8_600 }]);
  }
  using again = setting.open();
  setting.nowMs = 8_599_999;
  t.match(await again.desk.submit(order), { state: 'waiting' });
  t.strictSame(setting.done, []);
  setting.nowMs = 8_600_000;
  t.match(await again.desk.submit(order), { state: 'executed' });
  t.strictSame(setting.done, ['destroy node0']);
  t.strictSame(again.log.history.waiting(8_600), []);
});

t.test('an order that waits is given up by another one of its number', async (t) => {
  const setting = new DeskSetting(t.testdir());
  using open = setting.open();
  const destroy = setting.order({ action: 'key.destroy' }, everyone);
  await open.desk.submit(destroy);
  await open.desk.submit(setting.order());
  setting.nowMs = 9_000_000;
  await t.rejects(open.desk.submit(destroy), { code: 'CUSTODY_ORDER_REPLAYED' });
  t.strictSame(setting.done, ['rotate node0']);
});

t.test('only so many orders wait, and expired ones are not counted', async (t) => {
  const setting = new DeskSetting(t.testdir());
  using open = setting.open();
  const numbered = (index: number, expiresAt = 20_000) =>
    setting.order({ action: 'key.destroy', parameters: { key: `k${index}` }, expiresAt }, everyone);
  for (let index = 0; index < 16; index += 1) {
    await open.desk.submit(numbered(index, index === 0 ? 8_700 : 20_000));
  }
  await t.rejects(open.desk.submit(numbered(16)), { code: 'CUSTODY_ORDERS_WAITING' });
  setting.nowMs = 8_700_000;
  t.match(await open.desk.submit(numbered(16)), { state: 'waiting' });
});

t.test('a clock turned back makes no expired order good again', async (t) => {
  const setting = new DeskSetting(t.testdir());
  const order = setting.order({ expiresAt: 5_010 });
  setting.nowMs = 5_011_000;
  {
    using open = setting.open();
    await t.rejects(open.desk.submit(order), { code: 'CUSTODY_ORDER_EXPIRED' });
    setting.nowMs = 5_009_000;
    await t.rejects(open.desk.submit(order), { code: 'CUSTODY_CLOCK_TURNED_BACK' });
  }
  using again = setting.open();
  await t.rejects(again.desk.submit(order), { code: 'CUSTODY_CLOCK_TURNED_BACK' });
  t.strictSame(setting.done, []);
});

t.test('an order that failed counts as used, and the log says why it failed', async (t) => {
  const setting = new DeskSetting(t.testdir());
  setting.actions['key.rotate'] = () => Promise.reject(fault('CUSTODY_KEY_STATE_DENIED'));
  using open = setting.open();
  await t.rejects(open.desk.submit(setting.order()), { code: 'CUSTODY_KEY_STATE_DENIED' });
  t.match(
    readFileSync(setting.auditPath, 'utf8'),
    /order.failed.*"code":"CUSTODY_KEY_STATE_DENIED"/,
  );
  await t.rejects(open.desk.submit(setting.order()), { code: 'CUSTODY_ORDER_REPLAYED' });
  t.match(open.log.history.told, [{ state: 'failed', sequence: 1 }]);
});

t.test('an order that a crash cut off is recorded as interrupted and not done again', async (t) => {
  const setting = new DeskSetting(t.testdir());
  const order = setting.order();
  let crash = Buffer.alloc(0);
  setting.actions['key.rotate'] = () => {
    crash = readFileSync(setting.auditPath);
    return Promise.resolve({});
  };
  {
    using open = setting.open();
    await open.desk.submit(order);
  }
  writeFileSync(setting.auditPath, crash);
  using again = setting.open();
  t.strictSame(eventsOf(setting), ['policy.adopted', 'order.started', 'order.interrupted']);
  t.match(again.log.history.told, [{ state: 'interrupted' }]);
  await t.rejects(again.desk.submit(order), { code: 'CUSTODY_ORDER_REPLAYED' });
});

t.test('the operator policy changes by order only', async (t) => {
  const setting = new DeskSetting(t.testdir());
  const next = operatorSetting();
  const change = setting.order({
    action: 'policy.change',
    parameters: { policy: textOf(next.policyBytes) },
  });
  {
    using open = setting.open();
    const answer = await open.desk.submit(change);
    t.match(answer, { state: 'executed', result: { policy: next.policy.hash } });
    t.strictSame(new Uint8Array(readFileSync(setting.policyPath)), next.policyBytes);
    const old = setting.order({ sequence: 2 });
    await t.rejects(open.desk.submit(old), { code: 'CUSTODY_ORDER_POLICY_WRONG' });
    const forged = setting.order({ sequence: 2, policy: next.policy.hash });
    await t.rejects(open.desk.submit(forged), { code: 'CUSTODY_APPROVAL_INVALID' });
  }
  writeFileSync(setting.policyPath, setting.operators.policyBytes);
  setting.open()[Symbol.dispose]();
  t.strictSame(
    new Uint8Array(readFileSync(setting.policyPath)),
    next.policyBytes,
    'a change that a crash interrupted is completed',
  );
  writeFileSync(setting.policyPath, operatorSetting().policyBytes);
  t.throws(() => setting.open(), { code: 'CUSTODY_POLICY_FOREIGN' });
});

t.test('a policy for another zone, or one that is none, is no change', async (t) => {
  const setting = new DeskSetting(t.testdir());
  using open = setting.open();
  const foreign = textOf(operatorSetting({ zone: 'other' }).policyBytes);
  for (const [sequence, policy, code] of [
    [1, foreign, 'CUSTODY_ORDER_ZONE_WRONG'],
    [2, '{}', 'CUSTODY_DOCUMENT_INVALID'],
  ] as const) {
    const order = setting.order({ action: 'policy.change', sequence, parameters: { policy } });
    await t.rejects(open.desk.submit(order), { code });
  }
  t.equal(open.log.history.policy?.hash, setting.operators.policy.hash);
});

t.test('a token that is away delays checkpoints, not orders', async (t) => {
  const setting = new DeskSetting(t.testdir());
  setting.isTokenAway = true;
  using open = setting.open();
  await open.desk.submit(setting.order());
  t.equal(open.log.unsignedCount, 3);
  setting.isTokenAway = false;
  await open.log.checkpoint();
  t.equal(open.log.unsignedCount, 0);
});

t.test('orders are carried out one after the other, and few wait for their turn', async (t) => {
  const setting = new DeskSetting(t.testdir());
  let atOnce = 0;
  setting.actions['key.rotate'] = async () => {
    atOnce += 1;
    t.equal(atOnce, 1);
    await setImmediate();
    atOnce -= 1;
    return {};
  };
  using open = setting.open();
  const orders = Array.from({ length: 12 }, (_none, index) =>
    setting.order({ sequence: index + 1 }),
  );
  const answers = await Promise.allSettled(orders.map((order) => open.desk.submit(order)));
  const codes = answers.map((one) =>
    one.status === 'fulfilled' ? one.value.state : (one.reason as { code: string }).code,
  );
  t.strictSame(
    codes.slice(0, 8),
    Array.from({ length: 8 }, () => 'executed'),
  );
  t.strictSame(
    codes.slice(8),
    Array.from({ length: 4 }, () => 'CUSTODY_ORDERS_QUEUED'),
  );
});

t.test('actions do not write records that are the order path’s own', async (t) => {
  const setting = new DeskSetting(t.testdir());
  using open = setting.open();
  for (const event of ['order.started', 'policy.adopted', 'checkpoint']) {
    t.throws(() => open.log.note(event, {}), TypeError, event);
  }
  t.doesNotThrow(() => open.log.note('key.destroyed', { key: 'node0' }));
});

t.test('a log that cannot be written any more keeps orders from being carried out', async (t) => {
  const setting = new DeskSetting(t.testdir());
  const { log, desk } = setting.open();
  await log.checkpoint();
  log.close();
  await t.rejects(desk.submit(setting.order()), { code: 'CUSTODY_AUDIT_READONLY' });
  const waiting = setting.order({ action: 'key.destroy' }, everyone);
  await t.rejects(desk.submit(waiting), { code: 'CUSTODY_AUDIT_READONLY' });
  t.strictSame(setting.done, []);
});
