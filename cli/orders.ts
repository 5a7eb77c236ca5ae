import { fromBase64Url, systemClock, utf8 } from '#base';
import { CustodyClient, parseOperatorPolicy, parseSignedOrder, writeSignedOrder } from '#custody';
import type { Approval, CustodyStatus, OperatorPolicy, OrderAction, OrderPayload } from '#custody';
import { developmentOperators } from './development-operators.ts';
import { fault } from './faults.ts';
import { openNetwork } from './network-open.ts';
import { operatorOf, readOperatorKey } from './operator-key.ts';

/** How long an order made here may be carried out after its time-lock, unless its maker says otherwise. */
const lifetimeSecondsDefault = 3600;

/**
 * Makes, approves and submits one order.
 *
 * @param token the organisation's name, which is its token's label.
 * @param keyFiles of the operators who approve; without them two of a development network's.
 * @returns what the action returned.
 * @throws CLI_ORDER_WAITING its time-lock has begun; CUSTODY_…, the action's own faults.
 */
export async function carryOut(
  dir: string,
  token: string,
  action: OrderAction,
  parameters: Readonly<Record<string, string>>,
  keyFiles: readonly string[] = developmentKeyFiles(dir),
): Promise<Readonly<Record<string, string>>> {
  using client = custodyClient(dir, token);
  const status = await client.status();
  const order = newOrder(status, { action, parameters });
  const signed = keyFiles.reduce((text, file) => approveOrder(text, policyOf(status), file), order);
  const answer = await client.submit(utf8(signed));
  if (answer.state === 'executed') return answer.result;
  throw fault('CLI_ORDER_WAITING', { action, untilSeconds: answer.untilSeconds });
}

/** A client of the host that holds the token; the caller closes it. */
export function custodyClient(dir: string, token: string): CustodyClient {
  return new CustodyClient(openNetwork(dir).layout.adminSocket(token));
}

/** Files of as many development operators' keys as its policy asks for. */
export function developmentKeyFiles(dir: string): string[] {
  const { layout } = openNetwork(dir);
  return developmentOperators.slice(0, 2).map((id) => layout.operatorKey(id));
}

/**
 * @param wanted lifetimeSeconds counts from the end of the time-lock, if it begins at once.
 * @returns an order without approvals, to the host that told its status, as its file has it.
 */
export function newOrder(
  status: CustodyStatus,
  wanted: {
    action: OrderAction;
    parameters: Readonly<Record<string, string>>;
    lifetimeSeconds?: number;
  },
): string {
  const { action, parameters, lifetimeSeconds = lifetimeSecondsDefault } = wanted;
  const notBefore = Math.floor(systemClock.nowMs() / 1000);
  const payload: OrderPayload = {
    typ: 'countersign-order/1',
    zone: status.zone,
    token: status.token,
    policy: status.policyHash,
    sequence: status.lastSequence + 1,
    action,
    parameters: { ...parameters },
    notBefore,
    expiresAt: notBefore + policyOf(status).ruleOf(action).delaySeconds + lifetimeSeconds,
  };
  return writeSignedOrder(utf8(JSON.stringify(payload)), []);
}

/** Adds the approval of the operator whose key this is; a second one of theirs takes its place. */
export function approveOrder(text: string, policy: OperatorPolicy, keyFile: string): string {
  const key = readOperatorKey(keyFile);
  const operator = operatorOf(key, policy.operators);
  const order = parseSignedOrder(utf8(text));
  if (order.payload.policy !== policy.hash) throw fault('CLI_ORDER_POLICY_OTHER');
  return addApproval(text, key.approve(operator.id, order.bytes, policy));
}

/** Adds an approval that was made elsewhere, such as with a security key. */
export function addApproval(text: string, approval: Approval): string {
  const { bytes, approvals } = parseSignedOrder(utf8(text));
  const others = approvals.filter(({ operator }) => operator !== approval.operator);
  return writeSignedOrder(bytes, [...others, approval]);
}

/** @param more copies of the same order, with approvals of others. @throws CLI_ORDER_OTHER */
export function mergeApprovals(text: string, more: readonly string[]): string {
  const { hash } = parseSignedOrder(utf8(text));
  return more.reduce((merged, other) => {
    const copy = parseSignedOrder(utf8(other));
    if (copy.hash !== hash) throw fault('CLI_ORDER_OTHER', { hash, other: copy.hash });
    return copy.approvals.reduce(addApproval, merged);
  }, text);
}

/** @throws CUSTODY_POLICY_INVALID, CUSTODY_DOCUMENT_… */
export function policyOf({ policy }: CustodyStatus): OperatorPolicy {
  return parseOperatorPolicy(fromBase64Url(policy) ?? new Uint8Array(0));
}
