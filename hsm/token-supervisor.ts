import { Fault, limits } from '#base';
import type { Log } from '#base';
import { FairTimer } from './fair-timer.ts';
import { fault } from './faults.ts';
import { SignDispatch } from './sign-dispatch.ts';
import type { DigestOrder } from './sign-dispatch.ts';
import { SignerMeter } from './signer-meter.ts';
import { TokenOpener, mayPass } from './token-opener.ts';
import type { OpenerBounds } from './token-opener.ts';
import type { TokenProcess } from './token-process.ts';
import type { SeatAnswer, TokenSeat } from './token-seat.ts';
import type { TokenPlace, WantedKey } from './token-wire.ts';

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

type SupervisorBounds = OpenerBounds &
  Record<'signHangMsMax' | 'signStallMsMax' | 'takeoverWaitMsMax', number>;

/** closed: it signs; open: calls are refused; halfOpen: a process tries whether the token is back. */
export type BreakerState = 'closed' | 'halfOpen' | 'open';

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
  readonly #time: FairTimer;
  /** Replaced as a whole, never changed. */
  #keys: readonly WantedKey[];
  readonly #opener: TokenOpener;
  #filling: Promise<void> | undefined;
  #takeover: NodeJS.Timeout | undefined;
  /** Why no call is taken, and since when. */
  #down: { reason: Fault; sinceMs: number } | undefined;
  #isClosed = false;

  private constructor(options: TokenSupervisorOptions) {
    this.#options = options;
    const { place, environment, bounds } = options;
    this.#keys = place.keys;
    this.#bounds = { ...limits, ...bounds };
    const events = {
      onFree: (seat: TokenSeat) => this.#takeSeat(seat),
      onBusy: () => this.#time.start(),
      onExit: (process: TokenProcess, how: string) => this.replace(process, how),
    };
    const { sessions } = place;
    this.#opener = new TokenOpener({ sessions, environment, events, bounds: this.#bounds });
    this.#time = new FairTimer((ms) => this.#look(ms));
  }

  /**
   * Opens the token; one that is away is waited for, and calls are refused meanwhile.
   *
   * @throws what keeps the token from being opened until somebody has done something about it.
   */
  static async open(options: TokenSupervisorOptions): Promise<TokenSupervisor> {
    const made = new TokenSupervisor(options);
    const failed = await made.#tryOpening();
    if (failed !== undefined && !mayPass(failed)) {
      await made.close();
      throw failed;
    }
    made.#fill();
    return made;
  }

  get breaker(): BreakerState {
    if (this.#down === undefined) return 'closed';
    return this.#opener.isTrying ? 'halfOpen' : 'open';
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
    return this.#opener.standbyPid;
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
    return [...this.dispatch.seats].some((seat) => !seat.isAway(nowMs));
  }

  /**
   * Logs in and finds the keys of a process anew; gives it up if that fails.
   *
   * @param generation of the keys that failed: if there are newer ones, nothing is to be done.
   */
  async refresh(process: TokenProcess, generation: number): Promise<void> {
    if (!this.#serving.has(process) || process.generation > generation) return;
    this.meter.count('refreshes');
    const refreshed = process.refresh().then(
      () => this.#takeSeats(process),
      (error) => this.giveUp(process, asFault(error)),
    );
    await this.#time.race(refreshed, this.#bounds.signStallMsMax, () => {
      if (this.#serving.size === 1) this.#stall();
    });
  }

  /**
   * Serves these keys from now on, in every process; one that cannot is given up.
   *
   * @throws HSM_TOKEN_LOST no process is left that can.
   */
  async useKeys(keys: readonly WantedKey[]): Promise<void> {
    this.#keys = keys;
    await Promise.all([...this.#serving].map((process) => this.#teach(process)));
    this.checkUp();
  }

  /** Any process of the token, for what is done once and not for a caller. @throws HSM_TOKEN_LOST */
  anyProcess(): TokenProcess {
    const [process] = this.#serving;
    if (process === undefined) throw refusal(this.#down?.reason ?? fault('HSM_TOKEN_LOST'));
    return process;
  }

  async #teach(process: TokenProcess): Promise<void> {
    try {
      await process.useKeys(this.#keys);
    } catch (error) {
      this.giveUp(process, asFault(error));
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
        if (this.#serving.size > 0) return;
        this.#goDown(this.#opener.lastFault ?? fault('HSM_TOKEN_LOST', { name: how }));
      }, this.#bounds.takeoverWaitMsMax);
    }
    this.#fill();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#time.stop();
    clearTimeout(this.#takeover);
    this.#opener.close();
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
    this.#opener.noteLoss();
    for (const seat of process.seats) this.dispatch.remove(seat);
    process.kill();
    return true;
  }

  #goDown(reason: Fault): void {
    clearTimeout(this.#takeover);
    if (this.#isClosed) return;
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
      await this.#opener.pause();
      if (!this.#isClosed) await this.#tryOpening();
    }
    this.#opener.standBy();
  }

  /** @returns why the token cannot be opened. */
  async #tryOpening(): Promise<Fault | undefined> {
    const keys = this.#keys;
    let opened: TokenProcess;
    try {
      opened = await this.#opener.open({ ...this.#options.place, keys });
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      if (this.#serving.size === 0) this.#goDown(error);
      return error;
    }
    if (this.#isClosed) {
      opened.kill();
      return undefined;
    }
    this.#serving.add(opened);
    if (keys === this.#keys) this.#takeSeats(opened);
    else await this.#teach(opened);
    return undefined;
  }

  #takeSeats(process: TokenProcess): void {
    for (const seat of process.seats) this.#takeSeat(seat);
  }

  /** The first seat that is ready is the end of an outage. */
  #takeSeat(seat: TokenSeat): void {
    if (!seat.isReady || seat.isStuck || !this.#serving.has(seat.process)) return;
    clearTimeout(this.#takeover);
    if (this.#down !== undefined) {
      const downMs = Math.round(performance.now() - this.#down.sinceMs);
      this.#down = undefined;
      this.#options.log.info({ downMs }, 'The token signs again.');
    }
    this.dispatch.add(seat);
  }

  /** Finds out who does not answer. @returns whether anybody is still asked for anything. */
  #look(ms: number): boolean {
    for (const process of this.#serving) {
      if (process.quietMsAfter(ms, this.#bounds.signStallMsMax) <= this.#bounds.signHangMsMax)
        continue;
      this.meter.count('hangs');
      this.replace(process, 'does not answer');
    }
    const seats = [...this.dispatch.seats];
    if (seats.length > 0 && seats.every(({ isStuck }) => isStuck)) this.#stall();
    return [...this.#serving].some((process) => process.seats.some(({ load }) => load > 0));
  }

  #stall(): void {
    if (this.#down !== undefined) return;
    this.meter.count('stalls');
    this.#goDown(fault('HSM_TOKEN_LOST', { name: 'NO_ANSWER' }));
  }
}

function asFault(error: unknown): Fault {
  return error instanceof Fault ? error : fault('HSM_TOKEN_LOST', {}, error);
}

/** Whatever is wrong with the token, its callers may come again. */
function refusal(reason: Fault): Fault {
  if (reason.code === 'HSM_TOKEN_LOST') return reason;
  return fault('HSM_TOKEN_LOST', { reason: reason.code }, reason);
}
