import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { RelayedConnection } from './relayed-connection.ts';
import type { Direction } from './relayed-connection.ts';

export interface LinkCounts {
  /** Runs of bytes in one direction on one connection, each ended by bytes in the other direction. */
  flights: Record<Direction, number>;
  bytes: Record<Direction, number>;
}

/** Carries TCP connections between two places, as slowly as a wide area does, and counts what passes. */
export class WideAreaRelay implements AsyncDisposable {
  readonly #delayMs: number;
  readonly #flightBytesMin: number;
  readonly #answerBytesMin: number;
  readonly #servers: Server[] = [];
  readonly #connections = new Set<RelayedConnection>();
  readonly #held = new Set<Direction>();
  #counts = noCounts();

  /**
   * @param delayMs how long a byte is under way, in each direction.
   * @param flightBytesMin what is smaller does not begin a flight: an acknowledgement of a transport.
   * @param answerBytesMin what is smaller does not end one: a ping's answer. What lies between ends a
   *   flight and is none itself, so that a question after an empty answer is counted as one.
   */
  constructor(delayMs: number, flightBytesMin = 0, answerBytesMin = flightBytesMin) {
    this.#delayMs = delayMs;
    this.#flightBytesMin = flightBytesMin;
    this.#answerBytesMin = answerBytesMin;
  }

  /**
   * @param port on loopback; 0 takes any free one.
   * @param open connects onward.
   * @returns the port.
   */
  async listen(port: number, open: () => Socket): Promise<number> {
    const server = createServer({ noDelay: true }, (near) => this.#carry(near, open()));
    this.#servers.push(server);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', resolve);
    });
    return (server.address() as AddressInfo).port;
  }

  /** What came since the last call; a flight that goes on counts again. */
  takeCounts(): LinkCounts {
    const counts = this.#counts;
    this.#counts = noCounts();
    for (const connection of this.#connections) connection.flight = undefined;
    return counts;
  }

  /** Keeps back whatever comes in a direction, on connections of now and later. */
  hold(direction: Direction): void {
    this.#held.add(direction);
  }

  release(direction: Direction): void {
    this.#held.delete(direction);
    for (const connection of this.#connections) connection.flush(direction);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const connection of this.#connections) connection.destroy();
    const closed = this.#servers.map((server) => new Promise((resolve) => server.close(resolve)));
    await Promise.all(closed);
  }

  #carry(near: Socket, far: Socket): void {
    const connection = new RelayedConnection(near, far, {
      delayMs: this.#delayMs,
      isHeld: (direction) => this.#held.has(direction),
      onBytes: (direction, bytes) => {
        this.#counts.bytes[direction] += bytes;
        if (connection.flight === direction) return;
        if (bytes < this.#flightBytesMin) {
          if (bytes >= this.#answerBytesMin) connection.flight = undefined;
          return;
        }
        connection.flight = direction;
        this.#counts.flights[direction] += 1;
      },
      onEnd: () => this.#connections.delete(connection),
    });
    this.#connections.add(connection);
  }
}

function noCounts(): LinkCounts {
  return { flights: { up: 0, down: 0 }, bytes: { up: 0, down: 0 } };
}
