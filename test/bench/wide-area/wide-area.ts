import { join } from 'node:path';
import type { LinkCounts } from '../../support/wide-area-relay.ts';
import type { Domains } from './domains.ts';
import type { RelayStart } from './relay-main.ts';
import { RemotePart } from './remote-part.ts';

export interface WideAreaOptions {
  readonly domains: Domains;
  /** Ports on loopback of their domain, each number used once. */
  readonly services: readonly { domain: string; port: number }[];
  readonly clients: readonly string[];
  readonly delayMs: number;
  readonly flightBytesMin: number;
  readonly answerBytesMin: number;
  /** For the sockets that join the domains. */
  readonly dir: string;
}

/** Counts of one link, named from the domain that connected to the one that listens. */
export type CountsByLink = ReadonlyMap<string, LinkCounts>;

/** Joins domains so that each service is found on every loopback, as far away as a wide area is. */
export class WideArea implements AsyncDisposable {
  readonly #relays: ReadonlyMap<string, RemotePart>;

  private constructor(relays: ReadonlyMap<string, RemotePart>) {
    this.#relays = relays;
  }

  static async start(options: WideAreaOptions): Promise<WideArea> {
    const { domains, services, clients, delayMs, flightBytesMin, answerBytesMin, dir } = options;
    const names = new Set([...services.map(({ domain }) => domain), ...clients]);
    const socketed = services.map((service) => ({
      ...service,
      socketFile: join(dir, `${service.domain}-${service.port}.sock`),
    }));
    const relays = [...names].map((name): [string, RemotePart] => {
      const start: RelayStart = {
        delayMs,
        flightBytesMin,
        answerBytesMin,
        offered: socketed.filter(({ domain }) => domain === name),
        reached: socketed.filter(({ domain }) => domain !== name),
      };
      return [name, new RemotePart(domains.prefix(name), 'relay-main.ts', start)];
    });
    const area = new WideArea(new Map(relays));
    // Whoever answers has all its sockets.
    await area.takeCounts();
    return area;
  }

  /** What passed each link since the last call. */
  async takeCounts(): Promise<CountsByLink> {
    const counts = new Map<string, LinkCounts>();
    for (const [from, relay] of this.#relays) {
      const links = await relay.ask<Record<string, LinkCounts>>('counts');
      for (const [to, link] of Object.entries(links)) counts.set(`${from} ${to}`, link);
    }
    return counts;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const relay of this.#relays.values()) await relay[Symbol.asyncDispose]();
  }
}
