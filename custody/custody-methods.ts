import { toBase64Url, utf8 } from '#base';
import type { Clock } from '#base';
import type { CustodyLog } from './custody-log.ts';
import { fault } from './faults.ts';
import type { OrderDesk } from './order-desk.ts';
import type { ToldOrder } from './order-history.ts';

/** Method numbers at a host's socket for operators; answers are JSON. */
export const custodyMethods = {
  /** No payload; answers a {@link CustodyStatus}. */
  status: 1,
  /** A signed order; answers an `OrderAnswer`. */
  submit: 2,
} as const;

/** What a host tells operators. Nothing in it is secret, and nothing of it is to be relied on. */
export interface CustodyStatus {
  readonly zone: string;
  readonly token: string;
  /** Base64url of the operator policy in force, and its hash. */
  readonly policy: string;
  readonly policyHash: string;
  /** The next order has the number after it. */
  readonly lastSequence: number;
  /** The log's newest record: kept elsewhere, it shows later that the log's end was cut off. */
  readonly head: { readonly sequence: number; readonly hash: string; readonly timeMs: number };
  readonly unsignedCount: number;
  readonly waiting: readonly ToldOrder[];
  readonly orders: readonly ToldOrder[];
}

/** Answers one call about orders. Whoever may reach the socket may call; approvals are what counts. */
export async function answerCustodyCall(
  parts: { log: CustodyLog; desk: OrderDesk; clock: Clock; token: string },
  method: number,
  payload: Uint8Array,
): Promise<Uint8Array> {
  if (method === custodyMethods.status) return utf8(JSON.stringify(statusOf(parts)));
  if (method !== custodyMethods.submit) throw fault('CUSTODY_METHOD_UNKNOWN', { method });
  return utf8(JSON.stringify(await parts.desk.submit(payload)));
}

function statusOf(parts: { log: CustodyLog; clock: Clock; token: string }): CustodyStatus {
  const { log, clock, token } = parts;
  const { policy, policyBytes, lastSequence, told } = log.history;
  return {
    zone: policy?.zone ?? '',
    token,
    policy: toBase64Url(policyBytes ?? new Uint8Array(0)),
    policyHash: policy?.hash ?? '',
    lastSequence,
    head: log.head,
    unsignedCount: log.unsignedCount,
    waiting: log.history.waiting(Math.floor(clock.nowMs() / 1000)),
    orders: told,
  };
}
