import { Fault, limits } from '#base';
import type { Log } from '#base';
import { fault } from './faults.ts';
import { SignDispatch } from './sign-dispatch.ts';
import type { DigestOrder } from './sign-dispatch.ts';
import { SignerMeter } from './signer-meter.ts';
import type { SeatAnswer, TokenSeat } from './token-seat.ts';
import { TokenProcess } from './token-process.ts';
import type { TokenPlace } from './token-wire.ts';

export interface TokenSupervisorOptions {
  readonly place: TokenPlace;
  /** Processes that sign side by side. */
  readonly processes: number;
  /** All that the token's processes get of an environment. */
  readonly environment: Record<string, string>;
  readonly log: Log;
  /** In place of those in base/limits.ts, where a test cannot wait for them. */
  readonly bounds?: Partial<SupervisorBounds>;
}

type SupervisorBounds = Record<
  'signHangMsMax' | 'takeoverWaitMsMax' | 'tokenRefusalWaitMs' | 'standbyDelayMs',
  number
>;

/** closed: it signs; open: calls are refused; halfOpen: a process tries whether the token is back. */
export type BreakerState = 'closed' | 'halfOpen' | 'open';

/** Trying the same token again may help without anybody's doing. */
const passing: ReadonlySet<string> = new Set([
  'HSM_TOKEN_ABSENT',
  'HSM_TOKEN_LOST',
  'HSM_SIGN_FAILED',
  'HSM_SESSION_BUSY',
]);
/** Some modules recover only in a new process. */
const opensPerProcessMax = 4;
const watchEveryMs = 100;

/**
 * Keeps processes that hold one token: kills one that hangs, lets the standby take its place, opens
 * the token anew when it is lost, and refuses calls at once for as long as there is none.
 */
export class TokenSupervisor implements AsyncDisposable {
  readonly dispatch = new SignDispatch();
  readonly meter = new SignerMeter();
  readonly #options: TokenSupervisorOptions;
  readonly #bounds: SupervisorBounds;
  readonly #serving = new Set<TokenProcess>();
  readonly #watch: NodeJS.Timeout;
  #standby: TokenProcess | undefined;
  #standbyTimer: NodeJS.Timeout | undefined;
  #candidate: TokenProcess | undefined;
  #opensOfCandidate = 0;
  #filling: Promise<void> | undefined;
  #takeover: NodeJS.Timeout | undefined;
  #wake: (() => void) | undefined;
  /** Why no call is taken, and since when. */
  #down: { reason: Fault; sinceMs: number } | undefined;
  /** Losses and failed openings since the token was well for a while. */
  #troubles = 0;
  #servingSinceMs = 0;
  #lastFault: Fault | undefined;
  #watchedMs = performance.now();
  #isClosed = false;

  private constructor(options: TokenSupervisorOptions) {
    this.#options = options;
    this.#bounds = { ...limits, ...options.bounds };
    this.#watch = setInterval(() => this.#killHanging(), watchEveryMs);
    this.#watch.unref();
  }

  /**
   * Opens the token; one that is away is waited for, and calls are refused meanwhile.
   *
   * @throws what keeps the token from being opened until somebody has done something about it.
   */
  static async open(options: TokenSupervisorOptions): Promise<TokenSupervisor> {
    const made = new TokenSupervisor(options);
    const failed = await made.#tryOpening();
    if (failed !== undefined && !passing.has(failed.code)) {
      await made.close();
      throw failed;
    }
    made.#fill();
    return made;
  }

  get breaker(): BreakerState {
    if (this.#down === undefined) return 'closed';
    return this.#candidate === undefined ? 'open' : 'halfOpen';
  }

  /** Why the token does not sign now. */
  get downReason(): Fault | undefined {
    return this.#down?.reason;
  }

  get processes(): ReadonlySet<TokenProcess> {
    return this.#serving;
  }

  /** Process id of the one that stands by. */
  get standbyPid(): number | undefined {
    return this.#standby?.pid;
  }

  /** @throws HSM_TOKEN_LOST at once while the token is down, HSM_SESSION_BUSY. */
  async sign(orders: readonly DigestOrder[]): Promise<SeatAnswer[]> {
    this.checkUp();
    // All sessions were refused a moment ago: waiting for them would only make a queue.
    if (this.dispatch.seats.size > 0 && !this.hasFreshSeat()) throw fault('HSM_SESSION_BUSY');
    return this.dispatch.sign(orders);
  }

  /** @throws HSM_TOKEN_LOST */
  checkUp(): void {
    if (this.#down !== undefined) throw refusal(this.#down.reason);
  }

  /** Whether a session could take a job that the token was too busy for. */
  hasFreshSeat(): boolean {
    const nowMs = performance.now();
    return [...this.dispatch.seats].some((seat) => !seat.isResting(nowMs));
  }

  /**
   * Logs in and finds the keys of a process anew; gives it up if that fails.
   *
   * @param generation of the keys that failed: if there are newer ones, nothing is to be done.
   */
  async refresh(process: TokenProcess, generation: number): Promise<void> {
    if (!this.#serving.has(process) || process.generation > generation) return;
    this.meter.count('refreshes');
    try {
      await process.refresh();
    } catch (error) {
      this.giveUp(process, error instanceof Fault ? error : fault('HSM_TOKEN_LOST', {}, error));
    }
  }

  /** Ends a process that the token failed; if it was the only one, calls are refused from now on. */
  giveUp(process: TokenProcess, reason: Fault): void {
    if (!this.#remove(process)) return;
    this.#options.log.warn({ code: reason.code, ...reason.detail }, 'A token failed its process.');
    if (this.#serving.size === 0) this.#goDown(reason);
    this.#fill();
  }

  /** Ends a process that does not answer, or has ended; what it was asked is asked of the next one. */
  replace(process: TokenProcess, how: string): void {
    if (!this.#remove(process)) return;
    this.#options.log.error({ how, pid: process.pid }, 'A process of the token is replaced.');
    if (this.#serving.size === 0) {
      this.#takeover = setTimeout(() => {
        this.#goDown(this.#lastFault ?? fault('HSM_TOKEN_LOST', { name: how }));
      }, this.#bounds.takeoverWaitMsMax);
    }
    this.#fill();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#watch);
    clearTimeout(this.#standbyTimer);
    clearTimeout(this.#takeover);
    this.#wake?.();
    this.#standby?.kill();
    this.#candidate?.kill();
    const serving = [...this.#serving];
    this.#serving.clear();
    await Promise.all(serving.map((process) => process.close()));
    await this.#filling;
    this.dispatch.refuseWaiting(fault('HSM_TOKEN_LOST'));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #remove(process: TokenProcess): boolean {
    if (!this.#serving.delete(process)) return false;
    this.meter.count('processesLost');
    if (performance.now() - this.#servingSinceMs > limits.tokenWellMs) this.#troubles = 0;
    this.#troubles += 1;
    for (const seat of process.seats) this.dispatch.remove(seat);
    process.kill();
    return true;
  }

  #goDown(reason: Fault): void {
    clearTimeout(this.#takeover);
    if (this.#isClosed || this.#serving.size > 0) return;
    if (this.#down === undefined) {
      this.#down = { reason, sinceMs: performance.now() };
      this.#options.log.error({ code: reason.code, ...reason.detail }, 'The token is down.');
    }
    this.#down = { ...this.#down, reason };
    this.dispatch.refuseWaiting(refusal(reason));
  }

  /** Opens the token until as many processes serve as shall; once at a time. */
  #fill(): void {
    this.#filling ??= this.#fillUp().finally(() => {
      this.#filling = undefined;
    });
  }

  async #fillUp(): Promise<void> {
    while (!this.#isClosed && this.#serving.size < this.#options.processes) {
      await this.#pause();
      if (!this.#isClosed) await this.#tryOpening();
    }
    clearTimeout(this.#standbyTimer);
    this.#standbyTimer = setTimeout(() => {
      this.#standby ??= this.#spawn();
    }, this.#bounds.standbyDelayMs);
    this.#standbyTimer.unref();
  }

  #pause(): Promise<void> {
    const { tokenRetryWaitMsMin, tokenRetryWaitMsMax } = limits;
    const last = this.#lastFault;
    if (this.#troubles === 0) return Promise.resolve();
    const hopeless = last?.kind === 'fatal' && !passing.has(last.code);
    const backoffMs = Math.min(tokenRetryWaitMsMax, tokenRetryWaitMsMin * 2 ** this.#troubles);
    // The first loss of a token that was well is most likely its process's.
    const waitMs = hopeless ? this.#bounds.tokenRefusalWaitMs : this.#troubles <= 1 ? 0 : backoffMs;
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, waitMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** @returns why the token cannot be opened. */
  async #tryOpening(): Promise<Fault | undefined> {
    const candidate = (this.#candidate ??= this.#takeStandby() ?? this.#spawn());
    this.#opensOfCandidate += 1;
    try {
      await candidate.open(this.#options.place);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      this.#troubles += 1;
      this.#lastFault = error;
      if (candidate.hasEnded || this.#opensOfCandidate >= opensPerProcessMax) this.#dropCandidate();
      if (!this.#isClosed) this.#goDown(error);
      return error;
    }
    this.#candidate = undefined;
    this.#opensOfCandidate = 0;
    this.#lastFault = undefined;
    this.#serving.add(candidate);
    this.#servingSinceMs = performance.now();
    for (const seat of candidate.seats) this.#takeSeat(seat);
    return undefined;
  }

  #dropCandidate(): void {
    this.#candidate?.kill();
    this.#candidate = undefined;
    this.#opensOfCandidate = 0;
  }

  #takeStandby(): TokenProcess | undefined {
    const standby = this.#standby;
    this.#standby = undefined;
    return standby?.hasEnded === true ? undefined : standby;
  }

  #spawn(): TokenProcess {
    const { place, environment } = this.#options;
    return new TokenProcess(place.sessions, environment, {
      onFree: (seat) => this.#takeSeat(seat),
      onExit: (process, how) => this.replace(process, how),
    });
  }

  /** The first seat that is ready is the end of an outage. */
  #takeSeat(seat: TokenSeat): void {
    if (!seat.isReady || !this.#serving.has(seat.process)) return;
    clearTimeout(this.#takeover);
    if (this.#down !== undefined) {
      const downMs = Math.round(performance.now() - this.#down.sinceMs);
      this.#down = undefined;
      this.#options.log.info({ downMs }, 'The token signs again.');
    }
    this.dispatch.add(seat);
  }

  /** A call into the module cannot be cancelled: only the end of its process stops it. */
  #killHanging(): void {
    const nowMs = performance.now();
    const lateMs = nowMs - this.#watchedMs;
    this.#watchedMs = nowMs;
    // After a stop of this process itself, answers may be waiting to be read.
    if (lateMs > 5 * watchEveryMs) return;
    for (const process of this.#serving) {
      if (process.seats.every((seat) => seat.busyMs(nowMs) <= this.#bounds.signHangMsMax)) continue;
      this.meter.count('hangs');
      this.replace(process, 'does not answer');
    }
  }
}

/** Whatever is wrong with the token, its callers may come again. */
function refusal(reason: Fault): Fault {
  if (reason.code === 'HSM_TOKEN_LOST') return reason;
  return fault('HSM_TOKEN_LOST', { reason: reason.code }, reason);
}
