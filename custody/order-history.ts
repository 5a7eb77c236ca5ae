import { equalBytes, Fault, fromBase64Url, limits, toBase64Url, utf8 } from '#base';
import type { AuditRecord } from './audit-record.ts';
import { authorise } from './authorise.ts';
import type { OrderContext } from './authorise.ts';
import { fault } from './faults.ts';
import { parseOperatorPolicy } from './operator-policy.ts';
import type { OperatorPolicy, OrderAction } from './operator-policy.ts';
import { parseSignedOrder } from './order.ts';
import type { SignedOrder } from './order.ts';

/** Records about orders; what other records tell of has no part in what may be ordered. */
export const orderEvents = {
  policyAdopted: 'policy.adopted',
  announced: 'order.announced',
  started: 'order.started',
  executed: 'order.executed',
  failed: 'order.failed',
  /** The host ended between the start and the outcome. */
  interrupted: 'order.interrupted',
} as const;

/** One order as the log tells of it. */
export interface ToldOrder {
  readonly hash: string;
  readonly sequence: number;
  readonly action: OrderAction;
  readonly state: 'waiting' | 'started' | 'executed' | 'failed' | 'interrupted';
  /** Milliseconds since the Unix epoch at which it came into this state. */
  readonly timeMs: number;
  /** Waiting: the end of its time-lock, seconds. */
  readonly untilSeconds?: number;
}

interface Announced {
  readonly order: SignedOrder;
  readonly atSeconds: number;
  readonly untilSeconds: number;
  readonly timeMs: number;
}

/**
 * Where a host stands with its orders, from its audit log alone: the host goes through it when it
 * starts, an auditor at any time. Each order is authorised once more, as of the time it was recorded.
 */
export class OrderHistory {
  readonly #token: string;
  readonly #announced = new Map<string, Announced>();
  #told: ToldOrder[] = [];
  #policy: OperatorPolicy | undefined;
  #policyBytes: Uint8Array | undefined;
  #policyBefore: OperatorPolicy | undefined;
  #started: SignedOrder | undefined;
  #lastSequence = 0;
  #lastTimeMs = 0;
  #ordersCount = 0;

  /** @param token label of the token whose log it is. */
  constructor(token: string) {
    this.#token = token;
  }

  /** In force now; none before the log's first record. */
  get policy(): OperatorPolicy | undefined {
    return this.#policy;
  }

  get policyBytes(): Uint8Array | undefined {
    return this.#policyBytes;
  }

  /** The one that was in force before the newest change. */
  get policyBefore(): OperatorPolicy | undefined {
    return this.#policyBefore;
  }

  get lastSequence(): number {
    return this.#lastSequence;
  }

  /** Orders carried out, well or not. */
  get ordersCount(): number {
    return this.#ordersCount;
  }

  /** An order whose outcome is not recorded. */
  get started(): SignedOrder | undefined {
    return this.#started;
  }

  /** Orders whose time-lock runs and that could still be carried out. */
  waiting(nowSeconds: number): readonly ToldOrder[] {
    const alive = [...this.#announced.values()].filter(
      ({ order: { payload } }) =>
        payload.sequence > this.#lastSequence && nowSeconds < payload.expiresAt,
    );
    return alive.map(({ order, untilSeconds, timeMs }) => ({
      ...told(order, 'waiting', timeMs),
      untilSeconds,
    }));
  }

  /** The newest orders that were started, oldest first. */
  get told(): readonly ToldOrder[] {
    return this.#told;
  }

  /** What an order that comes at this time is judged by. @throws CUSTODY_POLICY_INVALID no policy yet. */
  contextOf(order: SignedOrder, nowMs: number): OrderContext {
    if (this.#policy === undefined) throw fault('CUSTODY_POLICY_INVALID', { why: 'none in force' });
    return {
      policy: this.#policy,
      token: this.#token,
      nowSeconds: Math.floor(nowMs / 1000),
      lastSequence: this.#lastSequence,
      lastRecordSeconds: Math.floor(this.#lastTimeMs / 1000),
      announcedAtSeconds: this.#announced.get(order.hash)?.atSeconds,
    };
  }

  /** Goes on by one record. @throws CUSTODY_AUDIT_ORDER_INVALID */
  apply(record: AuditRecord): void {
    try {
      this.#read(record);
    } catch (cause) {
      const why = cause instanceof Fault ? cause.code : undefined;
      const { sequence, event } = record;
      throw fault('CUSTODY_AUDIT_ORDER_INVALID', { sequence, event, why }, cause);
    }
    this.#lastTimeMs = record.timeMs;
  }

  #read(record: AuditRecord): void {
    const { event, facts } = record;
    if (event === orderEvents.policyAdopted) this.#adopt(bytesOf(facts['policy']));
    if (event === orderEvents.announced) this.#announce(record);
    if (event === orderEvents.started) this.#start(record);
    if (event === orderEvents.executed) this.#end(record, 'executed');
    if (event === orderEvents.failed) this.#end(record, 'failed');
    if (event === orderEvents.interrupted) this.#end(record, 'interrupted');
  }

  /** The first policy is taken as it is; every later one was ordered under the one before. */
  #adopt(bytes: Uint8Array): void {
    const policy = parseOperatorPolicy(bytes);
    if (this.#policy !== undefined) {
      const ordered = this.#started?.payload;
      const isOrdered =
        ordered?.action === 'policy.change' &&
        equalBytes(utf8(ordered.parameters['policy'] ?? ''), bytes);
      if (!isOrdered) throw fault('CUSTODY_POLICY_INVALID', { why: 'not ordered' });
      // Under another policy what waits would have to be approved anew.
      this.#announced.clear();
    }
    this.#policyBefore = this.#policy;
    this.#policy = policy;
    this.#policyBytes = bytes;
  }

  #announce({ facts, timeMs }: AuditRecord): void {
    const order = parseSignedOrder(bytesOf(facts['signed']));
    const decision = authorise(order, this.contextOf(order, timeMs));
    if (decision.verdict !== 'wait' || this.#announced.has(order.hash)) throw unlikely();
    const { untilSeconds } = decision;
    const atSeconds = Math.floor(timeMs / 1000);
    this.#announced.set(order.hash, { order, atSeconds, untilSeconds, timeMs });
  }

  #start({ facts, timeMs }: AuditRecord): void {
    const order = parseSignedOrder(bytesOf(facts['signed']));
    const decision = authorise(order, this.contextOf(order, timeMs));
    if (decision.verdict !== 'execute' || this.#started !== undefined) throw unlikely();
    this.#started = order;
    this.#lastSequence = order.payload.sequence;
    this.#ordersCount += 1;
    for (const [hash, one] of this.#announced) {
      if (one.order.payload.sequence <= this.#lastSequence) this.#announced.delete(hash);
    }
    this.#told = [...this.#told, told(order, 'started', timeMs)].slice(-limits.ordersToldMax);
  }

  #end({ facts, timeMs }: AuditRecord, state: ToldOrder['state']): void {
    if (this.#started === undefined || facts['order'] !== this.#started.hash) throw unlikely();
    this.#told = [...this.#told.slice(0, -1), told(this.#started, state, timeMs)];
    this.#started = undefined;
  }
}

/** The facts by which an order is read again. */
export function factsOfOrder({ hash, payload, signedBytes }: SignedOrder): Record<string, string> {
  const { sequence, action } = payload;
  const signed = toBase64Url(signedBytes);
  return { order: hash, sequence: String(sequence), action, signed };
}

/** The facts of a policy that comes into force. */
export function factsOfPolicy(bytes: Uint8Array, hash: string): Record<string, string> {
  return { policy: toBase64Url(bytes), hash };
}

function told(order: SignedOrder, state: ToldOrder['state'], timeMs: number): ToldOrder {
  const { sequence, action } = order.payload;
  return { hash: order.hash, sequence, action, state, timeMs };
}

function bytesOf(text: string | undefined): Uint8Array {
  const bytes = fromBase64Url(text ?? '');
  if (bytes === undefined) throw fault('CUSTODY_DOCUMENT_INVALID', { what: 'base64url' });
  return bytes;
}

/** What happened is no answer to what the log says before. */
function unlikely(): Fault {
  return fault('CUSTODY_AUDIT_CHAIN_BROKEN', { why: 'order' });
}
