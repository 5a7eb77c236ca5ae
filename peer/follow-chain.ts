import { setTimeout as wait } from 'node:timers/promises';
import { Fault, limits } from '#base';
import type { Clock, Log } from '#base';
import { consenterMetadata } from '#formats';
import type { Block } from '#formats';
import type { EvidenceHead, Ledger } from '#ledger';
import type { ChannelConfig } from '#policy';
import type { BlockStream } from './block-stream.ts';
import { fault } from './faults.ts';
import { verifyBlock } from './verify-block.ts';

export interface FollowParts {
  ledger: Ledger;
  /** The configuration in force after the newest block of `ledger`. */
  channelConfig: () => ChannelConfig;
  /** Asks for the blocks from `start` on. */
  open: (start: bigint, signal: AbortSignal) => BlockStream;
  clock: Clock;
  log: Log;
}

/** Keeps a ledger at the end of its chain, block after block, over as many streams as it takes. */
export class ChainFollower {
  readonly #parts: FollowParts;
  #stream: BlockStream | undefined;
  #waitMs = 0;
  /** The failure that was said last: the same one again says nothing new. */
  #said = '';

  constructor(parts: FollowParts) {
    this.#parts = parts;
  }

  /** Whether a connection to the source of blocks stands. */
  get connected(): boolean {
    return this.#stream?.connected ?? false;
  }

  /**
   * Follows until told to stop. A stream that breaks, or brings a block that is not to be believed,
   * is left and another one opened, later and later.
   *
   * @throws PEER_EVIDENCE_MISMATCH, and whatever keeps a verified block from being committed: there
   *   is no other block to wait for.
   */
  async follow(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const openedMs = this.#parts.clock.nowMs();
      try {
        await this.#followOneStream(signal);
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof Fault) || !isOfTheSource(error)) throw error;
        this.#say(error);
      }
      const stoodMs = this.#parts.clock.nowMs() - openedMs;
      await this.#backOff(stoodMs, signal);
    }
  }

  async #followOneStream(signal: AbortSignal): Promise<void> {
    const { ledger, open } = this.#parts;
    using stream = open(ledger.height, signal);
    this.#stream = stream;
    try {
      for await (const block of stream.blocks()) await this.#take(block, signal);
    } finally {
      this.#stream = undefined;
    }
  }

  async #take(block: Block, signal: AbortSignal): Promise<void> {
    const { ledger, channelConfig, log } = this.#parts;
    signal.throwIfAborted();
    const { height, lastHeaderHash } = ledger;
    verifyBlock(block, { height, lastHeaderHash, config: channelConfig() });
    await commitVerified(ledger, block);
    this.#waitMs = 0;
    this.#said = '';
    log.debug({ block: height }, 'A block is committed.');
  }

  #say(error: Fault): void {
    const { code, detail, message } = error;
    const what = `${code} ${JSON.stringify(detail, textOfBigint)}`;
    if (what === this.#said) return;
    this.#said = what;
    const { ledger, log } = this.#parts;
    log.warn({ code, height: ledger.height.toString(), ...detail }, message);
  }

  async #backOff(stoodMs: number, signal: AbortSignal): Promise<void> {
    if (stoodMs > limits.deliverRetryWaitMsMax) this.#waitMs = 0;
    this.#waitMs = Math.min(
      Math.max(this.#waitMs * 2, limits.deliverRetryWaitMsMin),
      limits.deliverRetryWaitMsMax,
    );
    // Stopping cuts the wait short; the loop sees it.
    await wait(this.#waitMs, undefined, { signal }).catch(() => {});
  }
}

/** Whoever sent it may send another next time; all other failures are this peer's own. */
function isOfTheSource({ code }: Fault): boolean {
  return code.startsWith('PEER_STREAM_') || code.startsWith('PEER_BLOCK_');
}

/**
 * Commits a block that is signed as it should be. Whoever signed it vouches for the evidence log
 * too: if that is not what the transactions make, the zone contradicts itself.
 *
 * @throws PEER_EVIDENCE_MISMATCH, LEDGER_…, POLICY_…
 */
async function commitVerified(ledger: Ledger, block: Block): Promise<void> {
  const number = block.header?.number;
  const stated = statedEvidence(block);
  if (stated === undefined)
    throw fault('PEER_EVIDENCE_MISMATCH', { number, reason: 'none stated' });
  try {
    await ledger.commit(block, stated);
  } catch (cause) {
    if (!(cause instanceof Fault) || cause.code !== 'LEDGER_EVIDENCE_MISMATCH') throw cause;
    throw fault('PEER_EVIDENCE_MISMATCH', { ...cause.detail }, cause);
  }
}

/** Undefined also when it cannot be read. */
function statedEvidence(block: Block): EvidenceHead | undefined {
  try {
    const evidence = consenterMetadata(block);
    return evidence && { size: evidence.treeSize, root: evidence.rootHash };
  } catch (error) {
    if (error instanceof Fault) return undefined;
    throw error;
  }
}

function textOfBigint(_name: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}
