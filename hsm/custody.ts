import { serveLink } from '#base';
import type { LinkServer, Log } from '#base';
import { OrderDesk, answerCustodyCall } from '#custody';
import type { OperatorPolicy } from '#custody';
import type { SignerConfig } from './config.ts';
import type { OrderRecord } from './host-logs.ts';
import { hostOrders } from './host-orders.ts';
import { checkImports } from './key-imports.ts';
import type { SignerParts } from './signer-methods.ts';

/**
 * Takes up the operator policy and serves orders at the operators' socket.
 *
 * @throws CUSTODY_AUDIT_…, CUSTODY_POLICY_… when the host must not start: who may order what is in
 *   doubt, or what was ordered.
 */
export async function openCustody(
  custody: NonNullable<SignerConfig['custody']>,
  parts: SignerParts,
  record: OrderRecord,
  report: Log,
): Promise<AsyncDisposable> {
  await using undo = new AsyncDisposableStack();
  const { tokenLabel: token, clock } = parts;
  const { log, policyFile } = record;
  policyFile.settle(log);
  const checkPolicy = (policy?: OperatorPolicy) => checkImports(parts.ring, policy);
  checkPolicy(log.history.policy);
  const actions = hostOrders(parts, (event, facts) => log.note(event, facts));
  const onOutcome = noteOutcome(parts, report);
  const desk = new OrderDesk({ log, clock, policyFile, actions, checkPolicy, onOutcome });
  const answer = (method: number, payload: Uint8Array) =>
    answerCustodyCall({ log, desk, clock, token }, method, payload);
  const onFailure = (error: unknown) => report.error({ err: error }, 'An order failed inside.');
  undo.use<LinkServer>(await serveLink(custody.adminSocket, answer, onFailure));
  void log.checkpoint();
  return undo.move();
}

/** Orders are rare: each is in the process's log too, and an alarm can go by the counts. */
function noteOutcome({ tokens }: SignerParts, report: Log) {
  const counters = {
    executed: 'ordersExecuted',
    failed: 'ordersFailed',
    refused: 'ordersRefused',
  } as const;
  return (outcome: keyof typeof counters, facts: Readonly<Record<string, unknown>>) => {
    tokens.meter.count(counters[outcome]);
    report[outcome === 'executed' ? 'info' : 'warn']({ outcome, ...facts }, 'An order came.');
  };
}
