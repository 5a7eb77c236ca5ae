import { randomBytes } from 'node:crypto';
import { limits } from '#base';
import type { Clock, Log } from '#base';
import { Envelope, buildConfigPayload } from '#formats';
import type { SignerClient } from '#formats';
import { acceptConfigUpdate, checkEnvelopeSize } from '#policy';
import type { ChannelConfig } from '#policy';
import { fault } from './faults.ts';
import type { EnvelopePipeline, EnvelopeSubmission } from './pipeline-types.ts';
import { sealEnvelopes } from './seal-envelopes.ts';

const nonceBytes = 24;

export interface ConfigUpdatesParts {
  channelConfig: () => ChannelConfig;
  pipeline: EnvelopePipeline;
  signer: SignerClient;
  /** Label and msp.SerializedIdentity of the ordering key that signs now. */
  orderingKey: () => { label: string; serializedIdentity: Uint8Array };
  clock: Clock;
  log: Log;
}

/**
 * Takes configuration updates as an ordering service does: judges each against the configuration
 * that is then in force, has the result signed by the ordering key and ordered in a block of its
 * own. One after the other, because each changes what the next is judged by.
 */
export class ConfigUpdates {
  readonly #parts: ConfigUpdatesParts;
  #waiting = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(parts: ConfigUpdatesParts) {
    this.#parts = parts;
  }

  /**
   * Nobody has to wait for either promise; both reject with the Fault for which an update was not
   * ordered: POLICY_UPDATE_…, POLICY_ENVELOPE_TOO_LARGE, POLICY_CONFIG_INVALID, HSM_…, MANAGER_….
   *
   * @param envelope common.Envelope of type CONFIG_UPDATE, as it came.
   * @throws MANAGER_QUEUE_FULL at once.
   */
  submit(envelope: Uint8Array): EnvelopeSubmission {
    const { configUpdatesWaitingMax } = limits;
    if (this.#waiting >= configUpdatesWaitingMax) {
      throw fault('MANAGER_QUEUE_FULL', { configUpdatesWaitingMax });
    }
    this.#waiting += 1;
    const ordered = this.#last.then(() => this.#order(envelope));
    const accepted = ordered.then((submission) => submission.accepted);
    const committed = ordered.then((submission) => submission.committed);
    accepted.catch(() => {});
    this.#last = committed
      .catch(() => {})
      .finally(() => {
        this.#waiting -= 1;
      });
    return { accepted, committed };
  }

  async #order(bytes: Uint8Array): Promise<EnvelopeSubmission> {
    const { channelConfig, signer, orderingKey, pipeline, clock, log } = this.#parts;
    const config = channelConfig();
    const nowMs = clock.nowMs();
    const { label: keyLabel, serializedIdentity: orderer } = orderingKey();
    const { envelope } = acceptConfigUpdate(config, bytes, { orderer, at: new Date(nowMs) });
    const payload = buildConfigPayload({
      channel: config.channelId,
      creator: orderer,
      nonce: new Uint8Array(randomBytes(nonceBytes)),
      timeMs: nowMs,
      envelope,
    });
    const [sealed] = await sealEnvelopes(signer, [{ keyLabel, payload }]);
    checkEnvelopeSize(config, Envelope.decode(sealed!));
    log.info({ sequence: envelope.config?.sequence }, 'a configuration update is ordered');
    return pipeline.submitEnvelope(sealed!, { alone: true });
  }
}
