import { Fault, limits } from '#base';
import { TokenProcess } from './token-process.ts';
import type { TokenProcessEvents } from './token-process.ts';
import type { TokenPlace } from './token-wire.ts';

export interface TokenOpenerOptions {
  readonly sessions: number;
  /** All that the token's processes get of an environment. */
  readonly environment: Record<string, string>;
  readonly events: TokenProcessEvents;
  readonly bounds: OpenerBounds;
}

export type OpenerBounds = Record<'tokenRefusalWaitMs' | 'standbyDelayMs', number>;

const passing: ReadonlySet<string> = new Set([
  'HSM_TOKEN_ABSENT',
  'HSM_TOKEN_LOST',
  'HSM_SIGN_FAILED',
  'HSM_SESSION_BUSY',
]);
/** Some modules recover only in a new process. */
const opensPerProcessMax = 4;

/** Opens one token in one process after the other, and knows how long to wait before it tries again. */
export class TokenOpener {
  readonly #options: TokenOpenerOptions;
  #candidate: TokenProcess | undefined;
  #opensOfCandidate = 0;
  #standby: TokenProcess | undefined;
  #standbyTimer: NodeJS.Timeout | undefined;
  #wake: (() => void) | undefined;
  /** Losses and failed openings since the token was well for a while. */
  #troubles = 0;
  #openedMs = 0;
  #lastFault: Fault | undefined;
  #isClosed = false;

  constructor(options: TokenOpenerOptions) {
    this.#options = options;
  }

  /** Whether a process is trying to open the token. */
  get isTrying(): boolean {
    return this.#candidate !== undefined;
  }

  /** Why the token could not be opened when that was last tried; undefined after a success. */
  get lastFault(): Fault | undefined {
    return this.#lastFault;
  }

  get standbyPid(): number | undefined {
    return this.#standby?.pid;
  }

  /**
   * Opens the token, in the process that stands by if there is one.
   *
   * @returns a process of which the keys are proved.
   * @throws why it cannot be opened; the same process may try again.
   */
  async open(place: TokenPlace): Promise<TokenProcess> {
    const candidate = (this.#candidate ??= this.#takeStandby() ?? this.#spawn());
    this.#opensOfCandidate += 1;
    try {
      await candidate.open(place);
    } catch (error) {
      if (error instanceof Fault) this.#noteFailure(candidate, error);
      throw error;
    }
    this.#candidate = undefined;
    this.#opensOfCandidate = 0;
    this.#lastFault = undefined;
    this.#openedMs = performance.now();
    return candidate;
  }

  /** A process that had opened the token lost it, or ended. */
  noteLoss(): void {
    if (performance.now() - this.#openedMs > limits.tokenWellMs) this.#troubles = 0;
    this.#troubles += 1;
  }

  /** Returns when the token may be tried again. */
  pause(): Promise<void> {
    const waitMs = this.#waitMs();
    if (waitMs === 0 || this.#isClosed) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, waitMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Has a process stand by before long, with the module not loaded yet. */
  standBy(): void {
    clearTimeout(this.#standbyTimer);
    if (this.#isClosed) return;
    this.#standbyTimer = setTimeout(() => {
      this.#standby ??= this.#spawn();
    }, this.#options.bounds.standbyDelayMs);
    this.#standbyTimer.unref();
  }

  /** Ends all processes that have not opened the token. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#standbyTimer);
    this.#wake?.();
    this.#standby?.kill();
    this.#candidate?.kill();
  }

  #waitMs(): number {
    if (this.#troubles === 0) return 0;
    const last = this.#lastFault;
    if (last?.kind === 'fatal' && !mayPass(last)) return this.#options.bounds.tokenRefusalWaitMs;
    // The first loss of a token that was well is most likely its process's.
    if (this.#troubles === 1) return 0;
    const { tokenRetryWaitMsMin, tokenRetryWaitMsMax } = limits;
    return Math.min(tokenRetryWaitMsMax, tokenRetryWaitMsMin * 2 ** this.#troubles);
  }

  #noteFailure(candidate: TokenProcess, reason: Fault): void {
    this.#troubles += 1;
    this.#lastFault = reason;
    if (!candidate.hasEnded && this.#opensOfCandidate < opensPerProcessMax) return;
    candidate.kill();
    this.#candidate = undefined;
    this.#opensOfCandidate = 0;
  }

  #takeStandby(): TokenProcess | undefined {
    const standby = this.#standby;
    this.#standby = undefined;
    return standby?.hasEnded === true ? undefined : standby;
  }

  #spawn(): TokenProcess {
    const { sessions, environment, events } = this.#options;
    return new TokenProcess(sessions, environment, events);
  }
}

/** Whether trying the same token again may help without anybody's doing. */
export function mayPass(reason: Fault): boolean {
  return passing.has(reason.code);
}
