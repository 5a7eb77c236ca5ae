import { readFileSync } from 'node:fs';
import { Fault, Type, callHttp, checkConfig, equalBytes, isLoopback, limits } from '#base';
import type { Clock, Static } from '#base';
import { Block, ChannelHeader, Envelope, Payload, dataHash } from '#formats';
import type { Ledger } from '#ledger';
import { fault } from './faults.ts';
import { showBlock } from './newest-signature.ts';
import type { NewestSignatureParts } from './newest-signature.ts';

/** Which peers are asked for their newest block, and how many of them have to answer. */
export const WitnessConfig = Type.Object(
  {
    peers: Type.Array(
      Type.Object(
        {
          url: Type.String({
            pattern: '^https?://[^/?#@]+$',
            description:
              'Origin of a countersign peer’s HTTP endpoint; plain HTTP on loopback only.',
          }),
          caFile: Type.Optional(
            Type.String({ description: 'PEM of the authorities of its TLS certificate.' }),
          ),
        },
        { additionalProperties: false },
      ),
      { minItems: 1, maxItems: 64, description: 'Countersign peers of the channel.' },
    ),
    answersMin: Type.Integer({
      minimum: 0,
      maximum: 64,
      default: 0,
      description:
        'How many of them have to answer before anything is ordered: one more than may lie or lag. ' +
        'With 0 the manager starts without any, and warns.',
    }),
  },
  { additionalProperties: false },
);
export type WitnessConfig = Static<typeof WitnessConfig>;

const Standing = Type.Object({
  height: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
  channel: Type.String(),
});

export interface WitnessPeersParts extends NewestSignatureParts {
  readonly config: WitnessConfig;
  readonly ledger: Pick<Ledger, 'height'>;
  readonly clock: Clock;
}

/**
 * Peers that remember what this zone has signed, when its own records were restored from a copy. They
 * cannot stop it by lying: a block counts by the zone's signature alone.
 */
export class WitnessPeers {
  readonly #parts: WitnessPeersParts;
  readonly #places: readonly { url: string; ca: Uint8Array | undefined }[];
  #askedMs = 0;

  /** @throws MANAGER_WITNESS_INVALID */
  constructor(parts: WitnessPeersParts) {
    const { peers, answersMin } = parts.config;
    if (answersMin > peers.length) throw fault('MANAGER_WITNESS_INVALID', { answersMin });
    this.#parts = parts;
    this.#places = peers.map(({ url, caFile }) => ({ url, ca: authorities(url, caFile) }));
  }

  /**
   * Asks all of them, and shows the signer host the newest block of each.
   *
   * @throws HSM_GUARD_ROLLED_BACK the guard does not know one; MANAGER_LEDGER_BEHIND the ledger does not;
   *   MANAGER_WITNESSES_SILENT too few have answered.
   */
  async ask(): Promise<void> {
    this.#askedMs = this.#parts.clock.nowMs();
    const answers = await Promise.all(this.#places.map((place) => this.#ask(place)));
    const answered = answers.filter(Boolean).length;
    const { answersMin } = this.#parts.config;
    if (answered < answersMin) throw fault('MANAGER_WITNESSES_SILENT', { answered, answersMin });
  }

  /** As `ask`, unless it was asked just now: anybody who may read can give the cause. */
  async askAgain(): Promise<void> {
    const sinceMs = this.#parts.clock.nowMs() - this.#askedMs;
    if (sinceMs >= limits.peersAskedEveryMsMin) await this.ask();
  }

  /** @returns whether it has answered. */
  async #ask(place: { url: string; ca: Uint8Array | undefined }): Promise<boolean> {
    const { log, ledger } = this.#parts;
    const { url } = place;
    let block: Block;
    try {
      block = await this.#newestOf(place);
    } catch (cause) {
      const reason = cause instanceof Fault ? cause.code : (cause as Error).message;
      log.warn({ peer: url, reason }, 'a peer does not show its newest block');
      return false;
    }
    const isOurs = await this.#show(block, url);
    if (isOurs === undefined) return false;
    const number = block.header?.number ?? 0n;
    if (isOurs && number >= ledger.height) {
      throw fault('MANAGER_LEDGER_BEHIND', { peer: url, number, height: ledger.height });
    }
    return true;
  }

  /** @returns undefined for what is no block: whoever answers so must not be able to stop the zone. */
  async #show(block: Block, peer: string): Promise<boolean | undefined> {
    try {
      return await showBlock(this.#parts, block);
    } catch (error) {
      if (!(error instanceof Fault) || error.kind !== 'malformed') throw error;
      this.#parts.log.warn({ peer, reason: error.code }, 'a peer does not show its newest block');
      return undefined;
    }
  }

  async #newestOf({ url, ca }: { url: string; ca: Uint8Array | undefined }): Promise<Block> {
    // One bound for both calls: a peer that trickles its answer must not hold up the start.
    const signal = AbortSignal.timeout(limits.peerAnswerWaitMsMax);
    const get = async (path: string) => {
      const { status, content } = await callHttp({
        method: 'GET',
        url: `${url}${path}`,
        ca,
        headers: {},
        body: undefined,
        waitMsMax: limits.peerAnswerWaitMsMax,
        answerBytesMax: limits.deliverMessageBytesMax,
        signal,
      });
      if (status !== 200) throw new Error(`${path} was answered with ${status}`);
      return content;
    };
    const health = JSON.parse((await get('/v1/health')).toString('utf8')) as unknown;
    const { height, channel } = checkConfig(Standing, health, url);
    if (channel !== this.#parts.channel) throw new Error('it is of another channel');
    const block = Block.decode(await get(`/v1/blocks/${height - 1}?format=protobuf`));
    if (!isOf(block, channel)) throw new Error('its block is of another channel');
    return block;
  }
}

/** A block signature does not say its channel; the transactions that it covers do. */
function isOf({ header, data }: Block, channel: string): boolean {
  const [first] = data?.data ?? [];
  if (header === undefined || first === undefined) return false;
  if (!equalBytes(header.dataHash, dataHash(data?.data ?? []))) return false;
  const payload = Payload.decode(Envelope.decode(first).payload);
  return (
    ChannelHeader.decode(payload.header?.channelHeader ?? new Uint8Array(0)).channelId === channel
  );
}

/** @throws MANAGER_WITNESS_INVALID */
function authorities(url: string, caFile: string | undefined): Uint8Array | undefined {
  const { protocol, hostname } = new URL(url);
  if (protocol === 'http:' && isLoopback(hostname)) return undefined;
  if (protocol === 'http:' || caFile === undefined) throw fault('MANAGER_WITNESS_INVALID', { url });
  try {
    return readFileSync(caFile);
  } catch (cause) {
    throw fault('MANAGER_WITNESS_INVALID', { url, file: caFile }, cause);
  }
}
