import { equalBytes } from '#base';
import type { Block } from '#formats';
import { ChannelConfig } from './channel-config.ts';

/**
 * Reads each configuration block once: the view it gives keeps what it has learned of identities,
 * and users compare views to see whether the configuration changed.
 */
export class ConfigMemo {
  #block: Block | undefined;
  #config: ChannelConfig | undefined;

  /**
   * @param block the configuration block in force.
   * @throws POLICY_CONFIG_INVALID
   */
  of(block: Block): ChannelConfig {
    if (this.#config === undefined || !isSame(block, this.#block)) {
      this.#config = ChannelConfig.fromBlock(block);
      this.#block = block;
    }
    return this.#config;
  }
}

function isSame(a: Block, b: Block | undefined): boolean {
  if (a === b) return true;
  const [left, right] = [a.header, b?.header];
  if (left === undefined || right === undefined) return false;
  return left.number === right.number && equalBytes(left.dataHash, right.dataHash);
}
