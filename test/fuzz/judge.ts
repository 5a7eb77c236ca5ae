import type { FuzzChannel } from './fuzz-network.ts';

/** What a peer made of a block. */
export interface Digest {
  readonly codes: readonly number[];
  /** Hex. */
  readonly commitHash: string;
}

/** A peer that says what it makes of the blocks of a channel. */
export interface Judge {
  readonly name: string;
  /** False once its process has ended. */
  readonly alive: boolean;
  join(channel: FuzzChannel): Promise<void>;
  /**
   * Digests of the blocks from number 1 on, as they are committed.
   *
   * @param signal ends it.
   */
  follow(channel: FuzzChannel, signal: AbortSignal): AsyncGenerator<Digest>;
  /** Gives up the channel, if it can. */
  leave(): Promise<void>;
  /** Why it ended, or where it stands still: it is ended then. */
  lastWords(): Promise<string>;
}
