import type { ConfigGroup } from '#formats';
import { isElementName } from './config-tree.ts';
import { fault } from './faults.ts';

const nameLengthMax = 249;

/**
 * Refuses names that stock peers refuse.
 *
 * @throws POLICY_CONFIG_INVALID.
 * @see Fabric common/configtx/validator.go, ValidateChannelID and validateConfigID.
 */
export function checkConfigNames(channelId: string, channelGroup: ConfigGroup): void {
  const valid = /^[a-z][a-z0-9.-]*$/.test(channelId) && channelId.length <= nameLengthMax;
  if (!valid) throw fault('POLICY_CONFIG_INVALID', { reason: 'channel id', channelId });
  checkGroup('/Channel', channelGroup);
}

function checkGroup(path: string, group: ConfigGroup): void {
  for (const names of [group.groups, group.values, group.policies]) {
    for (const name of names.keys()) checkName(path, name);
  }
  for (const [name, inner] of group.groups) checkGroup(`${path}/${name}`, inner);
}

function checkName(path: string, name: string): void {
  if (isElementName(name)) return;
  throw fault('POLICY_CONFIG_INVALID', { reason: 'name of a configuration element', path, name });
}
