import type { Socket } from 'node:net';

/** `up` goes from the side that connected to the side that listens. */
export type Direction = 'up' | 'down';

export interface RelayedConnectionOptions {
  readonly delayMs: number;
  readonly isHeld: (direction: Direction) => boolean;
  /** Told when bytes come in, before their way. */
  readonly onBytes: (direction: Direction, bytes: number) => void;
  readonly onEnd: () => void;
}

/** Two sockets of which each gets what the other receives, in order and later. */
export class RelayedConnection {
  /** The direction of the newest flight, for whoever counts. */
  flight: Direction | undefined;
  readonly #near: Socket;
  readonly #far: Socket;
  readonly #options: RelayedConnectionOptions;
  readonly #kept: Record<Direction, (() => void)[]> = { up: [], down: [] };

  constructor(near: Socket, far: Socket, options: RelayedConnectionOptions) {
    this.#near = near;
    this.#far = far;
    this.#options = options;
    this.#join(near, far, 'up');
    this.#join(far, near, 'down');
  }

  /** Sends on what was kept back in the direction. */
  flush(direction: Direction): void {
    for (const pass of this.#kept[direction].splice(0)) pass();
  }

  destroy(): void {
    this.#near.destroy();
    this.#far.destroy();
    this.#options.onEnd();
  }

  #join(from: Socket, to: Socket, direction: Direction): void {
    from.on('data', (chunk: Buffer) => {
      this.#options.onBytes(direction, chunk.length);
      this.#later(direction, () => to.write(chunk));
    });
    from.on('end', () => this.#later(direction, () => to.end()));
    from.on('error', () => this.destroy());
    from.on('close', () => {
      if (this.#near.destroyed && this.#far.destroyed) this.#options.onEnd();
    });
  }

  /** Timers of one length run in the order in which they were set. */
  #later(direction: Direction, pass: () => void): void {
    setTimeout(() => {
      const kept = this.#kept[direction];
      if (kept.length > 0 || this.#options.isHeld(direction)) kept.push(pass);
      else pass();
    }, this.#options.delayMs);
  }
}
