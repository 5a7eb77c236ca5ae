import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { fault } from './faults.ts';
import type { NetworkLayout } from './network-layout.ts';

const verdictWaitMsMax = 20_000;
const pollMs = 50;

/** Asks a countersign peer of this machine; it listens on loopback only. */
export class PeerClient {
  readonly #origin: string;

  private constructor(port: number) {
    this.#origin = `http://127.0.0.1:${port}`;
  }

  static open(layout: NetworkLayout, peerName: string): PeerClient {
    const { http } = JSON.parse(readFileSync(layout.peerPortsFile(peerName), 'utf8')) as {
      http: number;
    };
    return new PeerClient(http);
  }

  async get(path: string): Promise<unknown> {
    const answer = await fetch(`${this.#origin}${path}`);
    if (answer.status === 404) return undefined;
    if (!answer.ok) throw fault('CLI_CALL_FAILED', { path, status: answer.status });
    return answer.json();
  }

  /** The peer's validation code for a transaction, once it has committed its block. */
  async verdict(txId: string): Promise<string> {
    for (let waitedMs = 0; waitedMs < verdictWaitMsMax; waitedMs += pollMs) {
      const found = (await this.get(`/v1/transactions/${txId}`)) as
        { validationCode: { name: string } } | undefined;
      if (found !== undefined) return found.validationCode.name;
      await wait(pollMs);
    }
    throw fault('CLI_CALL_FAILED', {
      path: `/v1/transactions/${txId}`,
      waitMsMax: verdictWaitMsMax,
    });
  }
}
