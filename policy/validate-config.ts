import { Fault } from '#base';
import { ConfigEnvelope, hasUnknownFields } from '#formats';
import type { ChannelConfig } from './channel-config.ts';
import { isSameTree, treeOf } from './config-tree.ts';
import { nextConfig } from './config-update.ts';
import { fault } from './faults.ts';
import { parseUpdate } from './parse-update.ts';

/**
 * Does a configuration transaction's update over again and demands the same result.
 *
 * @param data common.ConfigEnvelope bytes.
 * @throws POLICY_CONFIG_UNFOUNDED a stock peer stops at this block, and so must whoever makes or
 *   follows blocks: there is no code for it.
 * @see Fabric common/configtx/validator.go, Validate, and core/peer/channel.go, Apply.
 */
export function validateConfigTransaction(config: ChannelConfig, data: Uint8Array): void {
  try {
    checkConfigEnvelope(config, data);
  } catch (cause) {
    if (!(cause instanceof Fault) || cause.code === 'POLICY_CONFIG_UNFOUNDED') throw cause;
    throw fault('POLICY_CONFIG_UNFOUNDED', { reason: cause.code, ...cause.detail }, cause);
  }
}

function checkConfigEnvelope(config: ChannelConfig, data: Uint8Array): void {
  const { config: stated, lastUpdate } = ConfigEnvelope.decode(data);
  if (stated?.channelGroup === undefined) throw unfounded('no configuration');
  if (lastUpdate === undefined) throw unfounded('no update');
  const { sequence, channelGroup } = nextConfig(config, parseUpdate(lastUpdate)).config;
  if (stated.sequence !== sequence) throw unfounded('sequence');
  const isSame = isSameTree(treeOf(stated.channelGroup), treeOf(channelGroup));
  if (!isSame || hasUnknownFields(ConfigEnvelope, data)) throw unfounded('another configuration');
}

function unfounded(reason: string): Error {
  return fault('POLICY_CONFIG_UNFOUNDED', { reason });
}
