import { Fault, limits, toHex, utf8 } from '#base';
import type { Clock } from '#base';
import { sha256 } from '#crypto';
import { authorise } from './authorise.ts';
import type { CustodyLog } from './custody-log.ts';
import { fault } from './faults.ts';
import type { OrderActions } from './order-actions.ts';
import { factsOfOrder, factsOfPolicy, orderEvents } from './order-history.ts';
import { parseOperatorPolicy } from './operator-policy.ts';
import type { OperatorPolicy } from './operator-policy.ts';
import type { PolicyFile } from './policy-file.ts';
import { parseSignedOrder } from './order.ts';
import type { SignedOrder } from './order.ts';

/** What became of an order that was submitted. */
export type OrderAnswer =
  | { readonly state: 'executed'; readonly result: Readonly<Record<string, string>> }
  /** It has to be submitted again after `untilSeconds`; nothing is carried out by itself. */
  | { readonly state: 'waiting'; readonly untilSeconds: number };

/** Hears of every order; facts are for people. */
type OnOutcome = (
  outcome: 'executed' | 'failed' | 'refused',
  facts: Readonly<Record<string, unknown>>,
) => void;

/**
 * Takes orders, one after the other, and carries out those that are authorised. Each step is on
 * record before it is taken, and an order counts as used from its start on, whatever becomes of it.
 */
export class OrderDesk {
  readonly #log: CustodyLog;
  readonly #clock: Clock;
  readonly #actions: OrderActions;
  readonly #onOutcome: OnOutcome;
  #queue: Promise<unknown> = Promise.resolve();
  #queued = 0;

  /**
   * Records that an order was interrupted when the log ends in the middle of one.
   *
   * @param actions beside the change of the operator policy, which is the desk's own.
   * @param checkPolicy throws when the host cannot go on under a policy.
   */
  constructor(options: {
    log: CustodyLog;
    clock: Clock;
    policyFile: PolicyFile;
    actions: OrderActions;
    checkPolicy?: (policy: OperatorPolicy) => void;
    onOutcome?: OnOutcome;
  }) {
    const { log, clock, policyFile, actions } = options;
    const { checkPolicy = () => {}, onOutcome = () => {} } = options;
    this.#onOutcome = onOutcome;
    this.#log = log;
    this.#clock = clock;
    this.#actions = { ...actions, 'policy.change': policyChange(log, policyFile, checkPolicy) };
    try {
      this.#endStarted();
    } catch (error) {
      // A host without orders is better than none: they are refused for as long as this fails.
      if (!(error instanceof Fault)) throw error;
    }
  }

  /**
   * @param bytes a signed order.
   * @throws CUSTODY_… when it is refused, and nothing was done; the action's own faults.
   */
  submit(bytes: Uint8Array): Promise<OrderAnswer> {
    if (this.#queued >= limits.ordersQueuedMax) {
      return Promise.reject(fault('CUSTODY_ORDERS_QUEUED'));
    }
    this.#queued += 1;
    const answer = this.#queue
      .then(() => this.#carryOut(bytes))
      .finally(() => {
        this.#queued -= 1;
      });
    this.#queue = answer.catch(() => {});
    return answer;
  }

  async #carryOut(bytes: Uint8Array): Promise<OrderAnswer> {
    const { order, untilSeconds } = this.#receive(bytes);
    try {
      if (untilSeconds !== undefined) return { state: 'waiting', untilSeconds };
      return { state: 'executed', result: await this.#execute(order) };
    } finally {
      // Whoever hears the answer finds it in the log, and signed if the token signs at all.
      await this.#log.checkpoint();
    }
  }

  #receive(bytes: Uint8Array): { order: SignedOrder; untilSeconds: number | undefined } {
    try {
      this.#endStarted();
      const order = parseSignedOrder(bytes);
      return { order, untilSeconds: this.#admit(order) };
    } catch (error) {
      this.#onOutcome('refused', { code: codeOf(error) });
      throw error;
    }
  }

  /** @returns when the order's time-lock ends; undefined when it is started: then it is on record. */
  #admit(order: SignedOrder): number | undefined {
    const { history } = this.#log;
    const nowMs = this.#clock.nowMs();
    const { action } = order.payload;
    const context = history.contextOf(order, nowMs);
    const decision = authorise(order, context);
    if (this.#actions[action] === undefined) throw fault('CUSTODY_ORDER_UNKNOWN', { action });
    if (decision.verdict === 'wait') {
      if (context.announcedAtSeconds === undefined) this.#announce(order, decision, nowMs);
      return decision.untilSeconds;
    }
    const operators = decision.operators.join(' ');
    this.#log.record(orderEvents.started, { ...factsOfOrder(order), operators }, nowMs);
    return undefined;
  }

  #announce(order: SignedOrder, { untilSeconds }: { untilSeconds: number }, nowMs: number): void {
    const waiting = this.#log.history.waiting(Math.floor(nowMs / 1000));
    if (waiting.length >= limits.ordersWaitingMax) throw fault('CUSTODY_ORDERS_WAITING');
    const facts = { ...factsOfOrder(order), until: String(untilSeconds) };
    this.#log.record(orderEvents.announced, facts, nowMs);
  }

  async #execute(order: SignedOrder): Promise<Readonly<Record<string, string>>> {
    const { action, parameters } = order.payload;
    let result: Readonly<Record<string, string>>;
    try {
      result = (await this.#actions[action]?.(parameters, order)) ?? {};
    } catch (error) {
      this.#recordFailure(order, error);
      this.#onOutcome('failed', { order: order.hash, action, code: codeOf(error) });
      throw error;
    }
    this.#onOutcome('executed', { order: order.hash, action });
    this.#log.record(orderEvents.executed, { order: order.hash, ...factsOfResult(result) });
    return result;
  }

  #recordFailure(order: SignedOrder, error: unknown): void {
    try {
      this.#log.record(orderEvents.failed, { order: order.hash, code: codeOf(error) });
    } catch {
      // What the caller hears is why the order failed. The log gets its end later: see below.
    }
  }

  /** An order whose outcome was not recorded, by a crash or for want of space, counts as interrupted. */
  #endStarted(): void {
    const { started } = this.#log.history;
    if (started !== undefined) this.#log.record(orderEvents.interrupted, { order: started.hash });
  }
}

function codeOf(error: unknown): string {
  return error instanceof Fault ? error.code : 'unknown';
}

function policyChange(
  log: CustodyLog,
  file: PolicyFile,
  checkPolicy: (policy: OperatorPolicy) => void,
) {
  return (parameters: Readonly<Record<string, string>>) => {
    const bytes = utf8(parameters['policy'] ?? '');
    const policy = parseOperatorPolicy(bytes);
    const { zone, hash } = policy;
    if (zone !== log.history.policy?.zone) throw fault('CUSTODY_ORDER_ZONE_WRONG', { zone });
    checkPolicy(policy);
    log.record(orderEvents.policyAdopted, factsOfPolicy(bytes, hash));
    file.replace(bytes);
    return Promise.resolve({ policy: hash });
  };
}

/** Results come from what the token and others said; the log keeps what fits a line. */
function factsOfResult(result: Readonly<Record<string, string>>): Record<string, string> {
  const rows = Object.entries(result).slice(0, limits.orderResultsMax);
  return Object.fromEntries(
    rows.map(([name, value]) => {
      const bytes = utf8(value);
      const fits = bytes.length <= limits.orderResultBytesMax;
      return [`result.${name}`, fits ? value : `sha256:${toHex(sha256(bytes))}`];
    }),
  );
}
