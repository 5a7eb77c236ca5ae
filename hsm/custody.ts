import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { serveLink } from '#base';
import type { LinkServer, Log } from '#base';
import { CustodyLog, OrderDesk, PolicyFile, answerCustodyCall, auditLogName } from '#custody';
import type { CheckpointSigner, OperatorPolicy } from '#custody';
import type { SignerRole } from '#formats';
import type { SignerConfig } from './config.ts';
import { hostOrders } from './host-orders.ts';
import { checkImports } from './key-imports.ts';
import type { SignerParts } from './signer-methods.ts';

/** Which of the host's keys signs the checkpoints, by its role: the one that signs least else. */
const checkpointRoles: readonly SignerRole[] = ['attestation', 'ordering', 'relay', 'node'];

/**
 * Opens the audit log and serves orders at the operators' socket.
 *
 * @throws CUSTODY_AUDIT_…, CUSTODY_POLICY_… when the host must not start: who may order what is in
 *   doubt, or what was ordered.
 */
export async function openCustody(
  custody: NonNullable<SignerConfig['custody']>,
  parts: SignerParts,
  report: Log,
): Promise<AsyncDisposable> {
  await using undo = new AsyncDisposableStack();
  const { tokenLabel: token, clock } = parts;
  mkdirSync(custody.auditDir, { recursive: true, mode: 0o700 });
  const policyFile = new PolicyFile(custody.operatorPolicyFile);
  const name = auditLogName(policyFile.read().zone, token);
  const path = join(custody.auditDir, 'audit.jsonl');
  const onUnsigned = (error: unknown) => {
    parts.tokens.meter.count('checkpointsDelayed');
    report.warn({ err: error }, 'A checkpoint of the audit log waits for the token.');
  };
  const sign = checkpointSigner(parts);
  const log = undo.use(new CustodyLog({ path, name, token, clock, sign, onUnsigned }));
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

/** Statements start with a name of their own, which no content that these keys sign does. */
function checkpointSigner({ keys, signer }: SignerParts): CheckpointSigner {
  return async (content) => {
    // Looked for each time, the newest version last: keys are rotated while the host runs.
    const all = [...keys.values()].toReversed();
    const [key] = checkpointRoles.flatMap((role) => all.filter((one) => one.role === role));
    const keyLabel = key?.label ?? '';
    const [signature] = await signer.sign([{ keyLabel, content, verify: true }]);
    return { key: keyLabel, signature: signature as Uint8Array };
  };
}
