import { limits } from '#base';
import type { Log } from '#base';
import { lifecycleKeys, lifecycleNamespace, validationCodes } from '#formats';
import type { Ledger } from '#ledger';
import type { ChannelConfig } from '#policy';
import { fault } from './faults.ts';
import type { EnvelopePipeline } from './pipeline-types.ts';

export interface ApprovalKeysParts {
  ledger: Pick<Ledger, 'get'>;
  channelConfig: () => ChannelConfig;
  pipeline: Pick<EnvelopePipeline, 'submitEnvelope'>;
  /** The relay's envelope that makes the missing keys, endorsed. @returns common.Envelope bytes. */
  makeEnvelope: () => Promise<Uint8Array>;
  log: Log;
}

/**
 * Each organisation's place for approvals. It is made with a majority's endorsements in an earlier
 * block than the first approval, from where on the organisation's own is enough; a channel where
 * nobody approves has none.
 */
export class ApprovalKeys {
  readonly #parts: ApprovalKeysParts;
  #making: Promise<void> | undefined;

  constructor(parts: ApprovalKeysParts) {
    this.#parts = parts;
  }

  /** @throws MANAGER_APPROVALS_UNMADE, and what keeps a transaction from being endorsed or ordered. */
  async ensure(): Promise<void> {
    for (let attempt = 0; this.#isMissing(); attempt += 1) {
      if (attempt === limits.endorseAttemptsMax) throw fault('MANAGER_APPROVALS_UNMADE');
      this.#making ??= this.#make().finally(() => {
        this.#making = undefined;
      });
      await this.#making;
    }
  }

  #isMissing(): boolean {
    const { ledger, channelConfig } = this.#parts;
    return channelConfig().applicationOrgs.some(
      (mspid) => ledger.get(lifecycleNamespace, lifecycleKeys.approvals(mspid)) === undefined,
    );
  }

  async #make(): Promise<void> {
    const { pipeline, makeEnvelope, log } = this.#parts;
    const { accepted, committed } = pipeline.submitEnvelope(await makeEnvelope());
    accepted.catch(() => {});
    const { blockNumber, code } = await committed;
    const isMade = code === validationCodes.VALID;
    log[isMade ? 'info' : 'warn']({ block: blockNumber, code }, 'approvals keys were written');
  }
}
