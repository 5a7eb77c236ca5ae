import type { AnchoredLog } from '#custody';
import type { EpochAnchor } from './block-guard.ts';
import { fault } from './faults.ts';
import type { TpmAnchor } from './tpm-anchor.ts';

/**
 * The guard's anchor, to which the host's logs are tied as well: each has on record what the counter
 * is to stand at before it does. A log that knows of less was cut off at its end, or is an old copy.
 */
export class LogAnchor implements EpochAnchor {
  readonly #anchor: TpmAnchor;
  readonly #logs: () => readonly AnchoredLog[];

  constructor(anchor: TpmAnchor, logs: () => readonly AnchoredLog[]) {
    this.#anchor = anchor;
    this.#logs = logs;
  }

  /** @throws HSM_LOG_ROLLED_BACK, HSM_ANCHOR_UNREADABLE */
  async check(): Promise<void> {
    const stands = await this.#anchor.read();
    for (const log of this.#logs()) {
      const anchored = log.anchoredAt(this.#anchor.name);
      // One more is right: a crash came before the counter was raised.
      if (anchored < stands)
        throw fault('HSM_LOG_ROLLED_BACK', { log: log.name, anchored, stands });
    }
  }

  read(): Promise<bigint> {
    return this.#anchor.read();
  }

  async increment(): Promise<bigint> {
    const next = (await this.#anchor.read()) + 1n;
    for (const log of this.#logs()) log.anchor(this.#anchor.name, next);
    return this.#anchor.increment();
  }
}
