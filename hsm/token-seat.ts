import type { Socket } from 'node:net';
import type { Digest } from './digest.ts';
import { pkcs11Codes } from './pkcs11-codes.ts';
import type { TokenProcess } from './token-process.ts';
import { answerBytes, chunkJobsMax, encodeJobs, readAnswer, seatGreeting } from './token-wire.ts';

/** A signature that waits for a session or for its answer. */
export interface SeatJob {
  readonly label: string;
  readonly digest: Digest;
  settle(answer: SeatAnswer): void;
  /** No session will take it. */
  refuse(reason: Error): void;
}

/** What became of a job in one process, of which the keys had this generation. */
export interface SeatAnswer {
  /** 0: signed. A return value of PKCS#11; -1: a failure that is not the token's; -2: the process is gone. */
  readonly code: number;
  readonly us: number;
  /** r‖s as the token made it. */
  readonly raw: Uint8Array;
  readonly process: TokenProcess;
  readonly generation: number;
}

export const processGone = -2;

/** A chunk of work is as much as the token does in this time, so that no seat is far behind another. */
const chunkUs = 5_000;
/** A signature that takes so many times the usual is not just slow. */
const slowness = 20;
/** The first signature of a session opens it, which takes longer. */
const firstPatience = 5;

interface Chunk {
  readonly jobs: readonly SeatJob[];
  readonly generation: number;
  /** Nobody waits for its answers any more. */
  isAbandoned: boolean;
}

export interface SeatEvents {
  /** The seat can take jobs; also the first time. */
  onFree(seat: TokenSeat): void;
  /** It was given some. */
  onBusy(): void;
}

/** The signer host's end of one session in a token's process. */
export class TokenSeat {
  readonly process: TokenProcess;
  readonly #socket: Socket;
  readonly #events: SeatEvents;
  readonly #chunks: Chunk[] = [];
  #isReady = false;
  #settled = 0;
  #pending: Buffer = Buffer.alloc(0);
  #averageUs = 0;
  #quietMs = 0;
  #stallMs = 0;
  #restsUntilMs = 0;
  #restMs = 0;

  constructor(process: TokenProcess, socket: Socket, events: SeatEvents) {
    this.process = process;
    this.#socket = socket;
    this.#events = events;
    socket.on('data', (bytes: Buffer) => this.#read(bytes));
    socket.on('error', () => this.leave());
    socket.on('close', () => this.leave());
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  /** Chunks that it has not answered yet. */
  get load(): number {
    return this.#chunks.length;
  }

  /** A second chunk waits at the session, which else would wait for it after each answer. */
  get loadMax(): number {
    return this.#averageUs > 0 ? 2 : 1;
  }

  /** How many jobs it should be given at once. */
  get roomMax(): number {
    if (this.#averageUs === 0) return 1;
    return Math.max(1, Math.min(chunkJobsMax, Math.floor(chunkUs / this.#averageUs)));
  }

  /** Whether it should be given nothing: the token was at a limit, or does not answer. */
  isAway(nowMs: number): boolean {
    return nowMs < this.#restsUntilMs || this.isStuck;
  }

  /** Whether jobs that it took are with others by now, and it has not answered since. */
  get isStuck(): boolean {
    return this.#chunks[0]?.isAbandoned === true;
  }

  /** How long it was watched without an answer to the jobs in front. */
  get quietMs(): number {
    return this.#quietMs;
  }

  /** Whether it was watched before and has not answered since. */
  get isQuiet(): boolean {
    return this.#chunks.length > 0 && this.#quietMs > 0;
  }

  /**
   * Takes note that so much time went by; `stallMs` of it are the token's own doing. Past the bound its
   * jobs are for others to do.
   */
  watch(ms: number, stallMs: number, stallMsMax: number): void {
    if (this.#chunks.length === 0) return;
    this.#quietMs += ms;
    this.#stallMs += stallMs;
    const isNew = this.#averageUs === 0;
    const patienceMs = isNew ? firstPatience * stallMsMax : (slowness * this.#averageUs) / 1000;
    if (this.#stallMs < Math.max(stallMsMax, patienceMs)) return;
    for (const chunk of this.#chunks) {
      if (!chunk.isAbandoned) this.#abandon(chunk);
    }
  }

  take(jobs: readonly SeatJob[]): void {
    if (this.#chunks.length === 0) this.#wasHeard();
    this.#events.onBusy();
    this.#chunks.push({ jobs, generation: this.process.generation, isAbandoned: false });
    this.#socket.write(
      encodeJobs(
        jobs.map(({ label, digest }) => ({ key: this.process.keyOf(label).handle, digest })),
      ),
    );
  }

  /** Lets it be for a while: the token was at a limit. Longer each time, until it signs again. */
  #rest(): void {
    this.#restMs = Math.min(1_000, Math.max(50, this.#restMs * 2));
    this.#restsUntilMs = performance.now() + this.#restMs;
    setTimeout(() => {
      // Timers may be early by a fraction of a millisecond.
      this.#restsUntilMs = 0;
      this.#events.onFree(this);
    }, this.#restMs).unref();
  }

  /** Lets the thread close its session and end, once it has answered. */
  end(): void {
    this.#socket.end();
  }

  /** What it has not answered is not answered any more. */
  leave(): void {
    this.#isReady = false;
    this.#socket.destroy();
    for (const chunk of this.#chunks) {
      if (!chunk.isAbandoned) this.#abandon(chunk);
    }
    this.#chunks.length = 0;
    this.#settled = 0;
  }

  #abandon(chunk: Chunk): void {
    const { process } = this;
    const { jobs, generation } = chunk;
    chunk.isAbandoned = true;
    const left = chunk === this.#chunks[0] ? jobs.slice(this.#settled) : jobs;
    for (const job of left) {
      job.settle({ code: processGone, us: 0, raw: new Uint8Array(0), process, generation });
    }
  }

  #read(bytes: Buffer): void {
    let unread = bytes;
    if (!this.#isReady && unread[0] === seatGreeting) {
      this.#isReady = true;
      unread = unread.subarray(1);
    }
    this.#pending = this.#pending.length === 0 ? unread : Buffer.concat([this.#pending, unread]);
    while (this.#pending.length >= answerBytes) {
      const answer = this.#pending.subarray(0, answerBytes);
      this.#pending = this.#pending.subarray(answerBytes);
      this.#settle(answer);
    }
    this.#events.onFree(this);
  }

  #wasHeard(): void {
    this.#quietMs = 0;
    this.#stallMs = 0;
  }

  #settle(bytes: Buffer): void {
    const [front] = this.#chunks;
    const job = front?.jobs[this.#settled];
    if (front === undefined || job === undefined) return;
    const answer = readAnswer(bytes);
    this.#settled += 1;
    this.#wasHeard();
    if (isSaturation(answer.code)) this.#rest();
    if (answer.code === 0) {
      this.#averageUs = this.#averageUs === 0 ? answer.us : this.#averageUs * 0.9 + answer.us * 0.1;
      this.#restMs = 0;
    }
    if (this.#settled === front.jobs.length) {
      this.#chunks.shift();
      this.#settled = 0;
    }
    if (front.isAbandoned) return;
    job.settle({ ...answer, process: this.process, generation: front.generation });
  }
}

function isSaturation(code: number): boolean {
  return pkcs11Codes.get(code)?.[1] === 'saturation';
}
