import type { Clock } from '#base';
import type { ChannelConfig, SignedData } from '#policy';
import { fault } from './faults.ts';

/** What access is decided by. */
export interface AccessSource {
  /** The configuration in force after the newest block. */
  channelConfig: () => ChannelConfig;
  clock: Clock;
}

/** Policies that stock peers and orderers ask by default before they let anybody read. */
export const readerPolicies = {
  channel: '/Channel/Readers',
  application: '/Channel/Application/Readers',
} as const;

/** A client's right to read, asked again whenever the channel's configuration has changed. */
export class ReaderAccess {
  readonly #signed: SignedData;
  readonly #policyPath: string;
  readonly #source: AccessSource;
  #checkedUnder: ChannelConfig | undefined;
  #expiryMs = 0;

  /** @param signed the request, signed by the client. */
  constructor(signed: SignedData, policyPath: string, source: AccessSource) {
    this.#signed = signed;
    this.#policyPath = policyPath;
    this.#source = source;
  }

  /** @throws MANAGER_READER_DENIED */
  check(): void {
    const config = this.#source.channelConfig();
    if (config !== this.#checkedUnder) this.#evaluate(config);
    if (this.#source.clock.nowMs() > this.#expiryMs) throw denied('certificate expired');
  }

  #evaluate(config: ChannelConfig): void {
    try {
      const { certificate } = config.identity(this.#signed.identity);
      this.#expiryMs = certificate.notAfter.getTime();
    } catch (cause) {
      throw denied('identity', cause);
    }
    if (!config.evaluate(this.#policyPath, [this.#signed])) throw denied('policy');
    this.#checkedUnder = config;
  }
}

function denied(reason: string, cause?: unknown): Error {
  return fault('MANAGER_READER_DENIED', { reason }, cause);
}
