import { generateKeyPairSync } from 'node:crypto';
import t from 'tap';
import { fromBase64Url, toBase64Url, utf8 } from '#base';
import {
  authorise,
  checkApprovals,
  parseOperatorPolicy,
  parseOrder,
  parseSignedOrder,
  signApproval,
} from '#custody';
import type { OrderContext, SignedOrder } from '#custody';
import { fuzz } from '../crypto/fuzzing.ts';
import { ecKeyPair, operatorSetting } from '../support/operators.ts';

const setting = operatorSetting();
const { policy, approve } = setting;

const payload = {
  typ: 'countersign-order/1',
  zone: 'test-zone',
  token: 'org1',
  policy: policy.hash,
  sequence: 4,
  action: 'key.rotate',
  parameters: { key: 'org1-node' },
  notBefore: 1_000,
  expiresAt: 9_000,
};

const context: OrderContext = {
  policy,
  token: 'org1',
  nowSeconds: 2_000,
  lastSequence: 3,
  lastRecordSeconds: 1_900,
  announcedAtSeconds: undefined,
};

function orderBytes(changes: Readonly<Record<string, unknown>> = {}): Uint8Array {
  return utf8(JSON.stringify({ ...payload, ...changes }));
}

function signed(
  changes: Readonly<Record<string, unknown>> = {},
  operators: readonly string[] = ['alice', 'bob'],
): SignedOrder {
  const bytes = orderBytes(changes);
  const approvals = operators.map((one) => approve(one, bytes));
  return parseSignedOrder(utf8(JSON.stringify({ order: toBase64Url(bytes), approvals })));
}

t.test('an order that two of three operators approved is carried out', async (t) => {
  t.strictSame(authorise(signed(), context), { verdict: 'execute', operators: ['alice', 'bob'] });
});

const refused: readonly [string, () => SignedOrder, Partial<OrderContext>, string][] = [
  ['one operator alone', () => signed({}, ['alice']), {}, 'CUSTODY_APPROVALS_TOO_FEW'],
  ['nobody', () => signed({}, []), {}, 'CUSTODY_APPROVALS_TOO_FEW'],
  ['one operator twice', () => signed({}, ['bob', 'bob']), {}, 'CUSTODY_APPROVAL_TWICE'],
  [
    'two of three where three must',
    () => signed({ action: 'key.destroy' }),
    {},
    'CUSTODY_APPROVALS_TOO_FEW',
  ],
  ['an order for another zone', () => signed({ zone: 'other' }), {}, 'CUSTODY_ORDER_ZONE_WRONG'],
  [
    'an order to another token of the zone',
    () => signed({ token: 'org2' }),
    {},
    'CUSTODY_ORDER_TOKEN_WRONG',
  ],
  [
    'an order under an older policy',
    () => signed({ policy: '00'.repeat(32) }),
    {},
    'CUSTODY_ORDER_POLICY_WRONG',
  ],
  ['an order that was carried out', () => signed(), { lastSequence: 4 }, 'CUSTODY_ORDER_REPLAYED'],
  [
    'an order that overtakes another',
    () => signed({ sequence: 5 }),
    {},
    'CUSTODY_ORDER_EARLIER_MISSING',
  ],
  ['an expired order', () => signed(), { nowSeconds: 9_000 }, 'CUSTODY_ORDER_EXPIRED'],
  [
    'an order before its time',
    () => signed({ notBefore: 2_001 }),
    {},
    'CUSTODY_ORDER_NOT_YET_VALID',
  ],
  [
    'an expired order by a clock turned back',
    () => signed(),
    { lastRecordSeconds: 9_500 },
    'CUSTODY_CLOCK_TURNED_BACK',
  ],
];

for (const [what, order, changes, code] of refused) {
  t.test(`${what} is refused: ${code}`, async (t) => {
    t.throws(() => authorise(order(), { ...context, ...changes }), { code });
  });
}

t.test('a dangerous order waits from the moment the zone saw it, whatever it says', async (t) => {
  const order = signed({ action: 'key.destroy', notBefore: 1 }, ['alice', 'bob', 'carol']);
  t.strictSame(authorise(order, context), { verdict: 'wait', untilSeconds: 5_600 });
  const later = { ...context, nowSeconds: 5_599, announcedAtSeconds: 2_000 };
  t.strictSame(authorise(order, later), { verdict: 'wait', untilSeconds: 5_600 });
  t.match(authorise(order, { ...later, nowSeconds: 5_600 }), { verdict: 'execute' });
});

t.test('an approval counts for the bytes that were approved and nothing else', async (t) => {
  const other = orderBytes({ parameters: { key: 'org2-node' } });
  const approvals = [approve('alice', other), approve('bob', orderBytes())];
  t.throws(() => checkApprovals(orderBytes(), approvals, policy, 2), {
    code: 'CUSTODY_APPROVAL_INVALID',
    detail: { operator: 'alice', why: 'challenge' },
  });
});

t.test('an approval by a key that is not the operator’s is refused', async (t) => {
  const forged = signApproval('alice', ecKeyPair().privateKey, orderBytes(), policy);
  const stranger = { ...approve('alice', orderBytes()), operator: 'mallory' };
  const check = (one: typeof forged) => () => checkApprovals(orderBytes(), [one], policy, 1);
  t.throws(check(forged), { code: 'CUSTODY_APPROVAL_INVALID', detail: { why: 'signature' } });
  t.throws(check(stranger), { code: 'CUSTODY_OPERATOR_UNKNOWN' });
});

t.test('an assertion made for another site, or without the person, is refused', async (t) => {
  const bytes = orderBytes();
  const key = setting.privateKeys.get('alice');
  if (key === undefined) throw new Error('the setting lacks an operator');
  const elsewhere: readonly [string, typeof policy][] = [
    ['origin', { ...policy, origin: 'https://evil.example' }],
    ['relying party', { ...policy, relyingPartyId: 'evil.example' }],
  ];
  for (const [why, rules] of elsewhere) {
    const approval = signApproval('alice', key, bytes, rules);
    t.throws(() => checkApprovals(bytes, [approval], policy, 1), {
      code: 'CUSTODY_APPROVAL_INVALID',
      detail: { why },
    });
  }
  for (const [flags, why] of [
    [0x00, 'user presence'],
    [0x01, 'user verification'],
  ] as const) {
    const approval = approve('alice', bytes);
    const data = fromBase64Url(approval.authenticatorData) as Uint8Array;
    data[32] = flags;
    const changed = { ...approval, authenticatorData: toBase64Url(data) };
    t.throws(() => checkApprovals(bytes, [changed], policy, 1), {
      code: 'CUSTODY_APPROVAL_INVALID',
      detail: { why },
    });
  }
});

t.test('operators may hold Ed25519, RSA and P-384 keys as well', async (t) => {
  const kinds = [
    generateKeyPairSync('ed25519'),
    generateKeyPairSync('rsa', { modulusLength: 2048 }),
    generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  ];
  const operators = kinds.map(({ publicKey }, index) => ({
    id: `operator-${index}`,
    publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  }));
  const mixed = operatorSetting({ operators, rules: {} });
  const bytes = orderBytes();
  const approvals = kinds.map(({ privateKey }, index) =>
    signApproval(`operator-${index}`, privateKey, bytes, mixed.policy),
  );
  t.equal(checkApprovals(bytes, approvals, mixed.policy, 3).length, 3);
});

t.test('a policy that contradicts itself is refused', async (t) => {
  const { publicPem } = ecKeyPair();
  const twice = [
    { id: 'a', publicKey: publicPem },
    { id: 'b', publicKey: publicPem },
  ];
  const curve = generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey;
  const odd = [
    { id: 'a', publicKey: publicPem },
    { id: 'b', publicKey: curve.export({ type: 'spki', format: 'pem' }).toString() },
  ];
  t.throws(() => operatorSetting({ operators: twice, rules: {} }), {
    code: 'CUSTODY_POLICY_INVALID',
  });
  t.throws(() => operatorSetting({ operators: odd, rules: {} }), {
    code: 'CUSTODY_POLICY_INVALID',
  });
  t.throws(() => operatorSetting({ approvals: 4 }), { code: 'CUSTODY_POLICY_INVALID' });
  t.throws(() => operatorSetting({ approvals: 1 }), { code: 'CUSTODY_DOCUMENT_INVALID' });
  const rules = { 'key.sell': { approvals: 2, delaySeconds: 0 } };
  t.throws(() => operatorSetting({ rules }), { code: 'CUSTODY_DOCUMENT_INVALID' });
});

t.test('an order with an unknown action, member or lifetime is refused', async (t) => {
  for (const [changes, code] of [
    [{ action: 'key.export' }, 'CUSTODY_DOCUMENT_INVALID'],
    [{ note: 'please' }, 'CUSTODY_DOCUMENT_INVALID'],
    [{ sequence: 0 }, 'CUSTODY_DOCUMENT_INVALID'],
    [{ sequence: 1.5 }, 'CUSTODY_DOCUMENT_INVALID'],
    [{ expiresAt: 1_000 }, 'CUSTODY_ORDER_LIFETIME_INVALID'],
    [{ expiresAt: 1_000 + 31 * 24 * 3600 }, 'CUSTODY_ORDER_LIFETIME_INVALID'],
  ] as const) {
    t.throws(() => parseOrder(orderBytes(changes)), { code }, JSON.stringify(changes));
  }
});

t.test('mutated orders and policies end in faults only', async (t) => {
  const text = utf8(
    JSON.stringify({
      order: toBase64Url(orderBytes()),
      approvals: [approve('alice', orderBytes())],
    }),
  );
  const orders = fuzz((bytes) => authorise(parseSignedOrder(bytes), context), text, {
    seed: 11,
    rounds: 400,
  });
  const policies = fuzz(parseOperatorPolicy, setting.policyBytes, { seed: 12, rounds: 400 });
  t.strictSame([...orders.escaped, ...policies.escaped], []);
  t.equal(orders.accepted, 0, 'no changed order is carried out');
  t.ok(policies.refused > 300);
});
