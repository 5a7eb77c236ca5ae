import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { LinkClient, textOf, utf8 } from '#base';
import { CustodyClient, verifyAuditLog, writeSignedOrder } from '#custody';
import type { OrderPayload } from '#custody';
import { startSigner } from '../support/signer-process.ts';
import type { SignerProcess } from '../support/signer-process.ts';
import { temporaryToken } from '../support/softhsm.ts';
import { operatorSetting } from '../support/operators.ts';

/** The host outlives the tests that start it anew. */
const wholeFile = t;
const token = await temporaryToken(t, {
  keys: [
    { label: 'node', role: 'node' },
    { label: 'attestation', role: 'attestation' },
  ],
});
const rules = { 'policy.change': { approvals: 2, delaySeconds: 0 } };
const operators = operatorSetting({ rules });
const custody = {
  operatorPolicyFile: join(token.dir, 'operators.json'),
  auditDir: join(token.dir, 'state'),
  adminSocket: join(token.dir, 'admin.sock'),
};
const auditFile = join(custody.auditDir, 'audit.jsonl');
mkdirSync(custody.auditDir);
writeFileSync(custody.operatorPolicyFile, operators.policyBytes);
const nowSeconds = Math.floor(Date.now() / 1000);

/** A change of the operator policy to one that says the same in other words. */
function order(
  changes: Partial<OrderPayload> = {},
  approvers: readonly string[] = ['alice', 'bob'],
): Uint8Array {
  const payload: OrderPayload = {
    typ: 'countersign-order/1',
    zone: 'test-zone',
    token: token.tokenLabel,
    policy: operators.policy.hash,
    sequence: 1,
    action: 'policy.change',
    parameters: { policy: textOf(operators.policyBytes) },
    notBefore: nowSeconds - 10,
    expiresAt: nowSeconds + 7200,
    ...changes,
  };
  const bytes = utf8(JSON.stringify(payload));
  return utf8(
    writeSignedOrder(
      bytes,
      approvers.map((one) => operators.approve(one, bytes)),
    ),
  );
}

async function submit(signed: Uint8Array) {
  using client = new CustodyClient(custody.adminSocket);
  return client.submit(signed);
}

let host: SignerProcess = await startSigner(wholeFile, token, { custody });

t.test('an order that two of three operators approved is carried out once', async (t) => {
  await t.rejects(submit(order({}, ['alice'])), { code: 'CUSTODY_APPROVALS_TOO_FEW' });
  await t.rejects(submit(order({ sequence: 2 })), { code: 'CUSTODY_ORDER_EARLIER_MISSING' });
  const expired = order({ notBefore: nowSeconds - 20, expiresAt: nowSeconds - 10 });
  await t.rejects(submit(expired), { code: 'CUSTODY_ORDER_EXPIRED' });
  t.match(await submit(order()), {
    state: 'executed',
    result: { policy: operators.policy.hash },
  });
  await t.rejects(submit(order()), { code: 'CUSTODY_ORDER_REPLAYED' });
});

t.test('what cannot be ordered of this host is refused before it is recorded', async (t) => {
  const before = readFileSync(auditFile);
  const activating = order({ action: 'key.activate', sequence: 2, parameters: { key: 'x' } });
  await t.rejects(submit(activating), { code: 'CUSTODY_ORDER_UNKNOWN' });
  t.ok(readFileSync(auditFile).equals(before));
});

t.test('a killed host takes no order twice, and one that failed counts as used', async (t) => {
  const nameless = order({ sequence: 2, action: 'key.rotate', parameters: { key: 'nobody' } });
  await host.kill();
  host = await startSigner(wholeFile, token, { custody });
  await t.rejects(submit(order()), { code: 'CUSTODY_ORDER_REPLAYED' });
  await t.rejects(submit(nameless), { code: /^HSM_/ });
  using client = new CustodyClient(custody.adminSocket);
  t.match(await client.status(), {
    token: token.tokenLabel,
    lastSequence: 2,
    orders: [{ state: 'executed' }, { state: 'failed' }],
  });
});

t.test('the log is verified offline with the certificate of a key in the token', async (t) => {
  const { publicKey } = token.certificateOf.get('attestation')!.certificate;
  using client = new CustodyClient(custody.adminSocket);
  const { head, unsignedCount } = await client.status();
  t.equal(unsignedCount, 0);
  const of = { zone: 'test-zone', token: token.tokenLabel, keys: [publicKey], known: [head] };
  t.match(verifyAuditLog(readFileSync(auditFile), of), { ordersCount: 2, lastSequence: 2 });
  const other = token.certificateOf.get('node')!.certificate.publicKey;
  t.throws(() => verifyAuditLog(readFileSync(auditFile), { ...of, keys: [other] }), {
    code: 'CUSTODY_AUDIT_CHECKPOINT_INVALID',
  });
});

t.test('the operators’ socket answers nothing else, and strangers not at all', async (t) => {
  using link = new LinkClient(custody.adminSocket);
  for (const [method, payload] of [
    [3, utf8('')],
    [255, order()],
  ] as const) {
    await t.rejects(link.call(method, payload, 10_000), { code: 'CUSTODY_METHOD_UNKNOWN' });
  }
  await t.rejects(link.call(2, utf8('{'), 10_000), { code: 'CUSTODY_DOCUMENT_INVALID' });
});

t.test('a host does not start on a log that somebody has changed', async (t) => {
  await host.stop();
  const log = textOf(readFileSync(auditFile));
  writeFileSync(auditFile, log.replace('order.executed', 'order.exequted'));
  const outcome: unknown = await startSigner(wholeFile, token, { custody }).catch(
    (error: unknown) => error,
  );
  t.match(outcome, { exitCode: 2, code: 'CUSTODY_AUDIT_BROKEN' });
});
