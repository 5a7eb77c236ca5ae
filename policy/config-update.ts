import { Envelope } from '#formats';
import type { Config } from '#formats';
import { ChannelConfig } from './channel-config.ts';
import { checkDelta, checkReadSet, deltaOf, updateSignatures } from './config-delta.ts';
import { checkSuccession } from './config-succession.ts';
import { groupOf, treeOf } from './config-tree.ts';
import { fault } from './faults.ts';
import { asMalformed, parseUpdate } from './parse-update.ts';
import type { ParsedUpdate } from './parse-update.ts';

/**
 * Applies an update to a configuration, as every peer does again when it meets the result in a block.
 * Who sent it, and whether the ordering side agrees, is not looked at: see `acceptConfigUpdate`.
 *
 * @param envelope common.Envelope of type CONFIG_UPDATE.
 * @returns the next configuration, everything in it in the order of its name.
 * @throws POLICY_UPDATE_MALFORMED, POLICY_UPDATE_FIELD_UNKNOWN, POLICY_UPDATE_CHANNEL_OTHER,
 *   POLICY_UPDATE_NAME_INVALID, POLICY_UPDATE_OUTDATED, POLICY_UPDATE_EMPTY,
 *   POLICY_UPDATE_MOD_POLICY_INVALID, POLICY_UPDATE_VERSION_INVALID, POLICY_UPDATE_DENIED,
 *   POLICY_UPDATE_FORBIDDEN; POLICY_CONFIG_INVALID the result is none.
 * @see Fabric common/configtx/validator.go, ProposeConfigUpdate; channelconfig/bundle.go, ValidateNew.
 */
export function proposeConfigUpdate(config: ChannelConfig, envelope: Uint8Array): Config {
  const update = parseUpdate(asMalformed(() => Envelope.decode(envelope)));
  return nextConfig(config, update).config;
}

/** As `proposeConfigUpdate`, for an update that was read. @returns the view of what comes next. */
export function nextConfig(config: ChannelConfig, { update, body }: ParsedUpdate): ChannelConfig {
  if (update.channelId !== config.channelId) {
    throw fault('POLICY_UPDATE_CHANNEL_OTHER', { channel: config.channelId });
  }
  const current = treeOf(config.config.channelGroup);
  const readSet = treeOf(update.readSet);
  checkReadSet(readSet, current);
  const delta = deltaOf(readSet, treeOf(update.writeSet));
  const signed = asMalformed(() => updateSignatures(body));
  checkDelta(delta, current, { config, signers: config.signers(signed) });
  const next = ChannelConfig.fromConfig(config.channelId, {
    sequence: BigInt.asUintN(64, config.sequence + 1n),
    channelGroup: groupOf(new Map([...current, ...delta])),
  });
  checkSuccession(config, next);
  return next;
}
