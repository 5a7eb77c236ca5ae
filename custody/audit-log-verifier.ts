import type { PublicKey } from '#crypto';
import { AuditVerifier } from './audit-verifier.ts';
import type { AuditReport, KnownOfLog } from './audit-verifier.ts';
import { auditLogName } from './custody-log.ts';
import { fault } from './faults.ts';
import { OrderHistory } from './order-history.ts';
import type { ToldOrder } from './order-history.ts';

/** What the audit log of a host says, once it was found to hold together. */
export interface AuditLogReport extends AuditReport {
  /** Orders that were carried out, well or not; each was approved as its policy demanded. */
  readonly ordersCount: number;
  readonly lastSequence: number;
  /** Hash of the operator policy in force at the end. */
  readonly policyHash: string;
  readonly newestOrders: readonly ToldOrder[];
  /** Bytes after the last whole line, such as a crash leaves: nothing was done on them. */
  readonly tornBytes: number;
}

/**
 * Verifies a host's audit log, and every order in it, with nothing but the keys of its token.
 *
 * @param bytes the whole file.
 * @param of zone and token the log must be of; keys of its checkpoints; what is known of it from
 *   elsewhere, without which an end that was cut off is not missed.
 * @throws CUSTODY_AUDIT_…
 */
export function verifyAuditLog(
  bytes: Uint8Array,
  of: { zone: string; token: string; keys: readonly PublicKey[] } & KnownOfLog,
): AuditLogReport {
  const { zone, token, keys } = of;
  const verifier = new AuditVerifier(auditLogName(zone, token), keys, of);
  const history = new OrderHistory(token);
  let start = 0;
  for (let end = bytes.indexOf(newline); end !== -1; end = bytes.indexOf(newline, start)) {
    history.apply(verifier.push(bytes.subarray(start, end)));
    start = end + 1;
  }
  const report = verifier.end();
  if (report.checkpointSequence === 0) throw fault('CUSTODY_AUDIT_UNSIGNED');
  const { ordersCount, lastSequence, policy, told } = history;
  return {
    ...report,
    ordersCount,
    lastSequence,
    policyHash: policy?.hash ?? '',
    newestOrders: told,
    tornBytes: bytes.length - start,
  };
}

const newline = 0x0a;
