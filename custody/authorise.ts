import { emptyBytes, fromBase64, toHex } from '#base';
import { sha256 } from '#crypto';
import { checkApproval } from './approval.ts';
import type { Approval } from './approval.ts';
import { fault } from './faults.ts';
import type { OperatorPolicy } from './operator-policy.ts';
import type { SignedOrder } from './order.ts';

/** Where a host stands when an order comes. */
export interface OrderContext {
  readonly policy: OperatorPolicy;
  /** Label of the token that the order has to be meant for. */
  readonly token: string;
  readonly nowSeconds: number;
  /** Number of the newest order that was carried out; 0 for none. */
  readonly lastSequence: number;
  /** Time of the newest record of the audit log. */
  readonly lastRecordSeconds: number;
  /** When this host saw the order first; undefined when this is the first time. */
  readonly announcedAtSeconds: number | undefined;
}

/**
 * Decides whether an order may be carried out now.
 *
 * @returns `wait` when everything is right but its time-lock: the caller records the order and
 *   is asked again after `untilSeconds`; the time is the zone's own, never one that the order names.
 * @throws CUSTODY_ORDER_…, CUSTODY_APPROVAL…, CUSTODY_IMPORT_REFUSED, CUSTODY_OPERATOR_UNKNOWN, CUSTODY_CLOCK_TURNED_BACK
 */
export function authorise(
  order: SignedOrder,
  context: OrderContext,
):
  { verdict: 'execute'; operators: readonly string[] } | { verdict: 'wait'; untilSeconds: number } {
  const { policy, nowSeconds } = context;
  checkPlace(order, context);
  checkTime(order, context);
  const rule = policy.ruleOf(order.payload.action);
  const operators = checkApprovals(order.bytes, order.approvals, policy, rule.approvals);
  checkImport(order, policy);
  const untilSeconds = (context.announcedAtSeconds ?? nowSeconds) + rule.delaySeconds;
  if (nowSeconds >= untilSeconds) return { verdict: 'execute', operators };
  const { expiresAt } = order.payload;
  // It would wait for nothing.
  if (untilSeconds >= expiresAt) {
    throw fault('CUSTODY_ORDER_LIFETIME_INVALID', { untilSeconds, expiresAt });
  }
  return { verdict: 'wait', untilSeconds };
}

function checkPlace({ payload }: SignedOrder, context: OrderContext): void {
  const { policy, token, lastSequence } = context;
  const { sequence } = payload;
  if (payload.zone !== policy.zone) throw fault('CUSTODY_ORDER_ZONE_WRONG', { zone: payload.zone });
  if (payload.token !== token) throw fault('CUSTODY_ORDER_TOKEN_WRONG', { token: payload.token });
  if (payload.policy !== policy.hash) throw fault('CUSTODY_ORDER_POLICY_WRONG');
  if (sequence <= lastSequence) throw fault('CUSTODY_ORDER_REPLAYED', { sequence, lastSequence });
  if (sequence > lastSequence + 1) {
    throw fault('CUSTODY_ORDER_EARLIER_MISSING', { sequence, lastSequence });
  }
}

function checkTime({ payload }: SignedOrder, context: OrderContext): void {
  const { nowSeconds, lastRecordSeconds } = context;
  // Turned back, a clock would make expired orders good again.
  if (nowSeconds < lastRecordSeconds) {
    throw fault('CUSTODY_CLOCK_TURNED_BACK', { nowSeconds, lastRecordSeconds });
  }
  const { notBefore, expiresAt } = payload;
  if (nowSeconds < notBefore) throw fault('CUSTODY_ORDER_NOT_YET_VALID', { notBefore });
  if (nowSeconds >= expiresAt) throw fault('CUSTODY_ORDER_EXPIRED', { expiresAt });
}

/** Whoever approves it, no key is brought from outside that the policy does not name, nor a way made for it. */
function checkImport({ payload }: SignedOrder, policy: OperatorPolicy): void {
  const { action, parameters } = payload;
  if (action !== 'key.import' && action !== 'key.generate') return;
  const { key = '', publicKey = '' } = parameters;
  const fingerprint = toHex(sha256(fromBase64(publicKey) ?? emptyBytes));
  const isNamed = policy.mayImport(key, action === 'key.import' ? fingerprint : undefined);
  if (!isNamed) throw fault('CUSTODY_IMPORT_REFUSED', { key });
}

/**
 * Checks that enough distinct operators approved a document; one wrong approval spoils all.
 *
 * @returns their ids.
 */
export function checkApprovals(
  document: Uint8Array,
  approvals: readonly Approval[],
  policy: OperatorPolicy,
  approvalsMin: number,
): readonly string[] {
  const approved = new Set<string>();
  for (const approval of approvals) {
    const operator = policy.operators.get(approval.operator);
    if (operator === undefined) {
      throw fault('CUSTODY_OPERATOR_UNKNOWN', { operator: approval.operator });
    }
    if (approved.has(operator.id)) throw fault('CUSTODY_APPROVAL_TWICE', { operator: operator.id });
    checkApproval(approval, operator, document, policy);
    approved.add(operator.id);
  }
  if (approved.size < approvalsMin) {
    throw fault('CUSTODY_APPROVALS_TOO_FEW', { approvals: approved.size, approvalsMin });
  }
  return [...approved];
}
