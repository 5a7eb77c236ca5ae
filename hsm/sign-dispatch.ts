import { BoundedQueue, limits } from '#base';
import type { Digest } from './digest.ts';
import { fault } from './faults.ts';
import type { SeatAnswer, SeatJob, TokenSeat } from './token-seat.ts';

export interface DigestOrder {
  readonly label: string;
  readonly digest: Digest;
}

/** Hands signatures to the sessions that are free, of whatever processes; answers keep their order. */
export class SignDispatch {
  readonly #waiting = new BoundedQueue<SeatJob>({ depthMax: limits.signQueueDepthMax });
  readonly #seats = new Set<TokenSeat>();

  /** Signatures that no session has taken yet. */
  get waiting(): number {
    return this.#waiting.depth;
  }

  get seats(): ReadonlySet<TokenSeat> {
    return this.#seats;
  }

  add(seat: TokenSeat): void {
    this.#seats.add(seat);
    this.dispatch();
  }

  remove(seat: TokenSeat): void {
    this.#seats.delete(seat);
  }

  /** @throws HSM_SESSION_BUSY the queue is full; what it was refused with meanwhile. */
  sign(orders: readonly DigestOrder[]): Promise<SeatAnswer[]> {
    if (this.#waiting.depth + orders.length > limits.signQueueDepthMax) {
      throw fault('HSM_SESSION_BUSY');
    }
    return new Promise((resolve, reject) => {
      const answers: SeatAnswer[] = [];
      let left = orders.length;
      for (const [index, { label, digest }] of orders.entries()) {
        const settle = (answer: SeatAnswer) => {
          answers[index] = answer;
          left -= 1;
          if (left === 0) resolve(answers);
        };
        this.#waiting.push({ label, digest, settle, refuse: reject });
      }
      this.dispatch();
    });
  }

  /** No session will take what waits. */
  refuseWaiting(reason: Error): void {
    for (let job = this.#waiting.shift(); job !== undefined; job = this.#waiting.shift()) {
      job.refuse(reason);
    }
  }

  dispatch(): void {
    const nowMs = performance.now();
    while (this.#waiting.depth > 0) {
      const { seat, free } = this.#freest(nowMs);
      if (seat === undefined) return;
      const count = Math.min(seat.roomMax, Math.ceil(this.#waiting.depth / free));
      const jobs: SeatJob[] = [];
      while (jobs.length < count) jobs.push(this.#waiting.shift() as SeatJob);
      seat.take(jobs);
    }
  }

  #freest(nowMs: number): { seat: TokenSeat | undefined; free: number } {
    let seat: TokenSeat | undefined;
    let free = 0;
    for (const one of this.#seats) {
      if (one.load >= one.loadMax || one.isAway(nowMs)) continue;
      if (one.load === 0) free += 1;
      if (seat === undefined || one.load < seat.load) seat = one;
      if (seat.load === 0 && free > chunksSpreadMax) break;
    }
    return { seat, free: Math.max(1, free) };
  }
}

/** Among more seats a queue is not spread more thinly. */
const chunksSpreadMax = 8;
