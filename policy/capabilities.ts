import type { Capabilities } from '#formats';
import { fault } from './faults.ts';

/**
 * Refuses capabilities that a 2.5 peer does not have, because it would stop at them, and demands the
 * membership rules of MSP 1.4.3, the only ones known here.
 *
 * @throws POLICY_CONFIG_INVALID.
 * @see Fabric common/capabilities/channel.go.
 */
export function checkChannelCapabilities(capabilities: Capabilities): void {
  check(capabilities, {
    level: 'channel',
    known: ['V1_1', 'V1_3', 'V1_4_2', 'V1_4_3', 'V2_0'],
    oneOf: ['V1_4_3', 'V2_0'],
  });
}

/** @throws POLICY_CONFIG_INVALID. @see Fabric common/capabilities/orderer.go. */
export function checkOrdererCapabilities(capabilities: Capabilities): void {
  // Without any, a peer refuses those of the channel and of the application.
  const known = ['V1_1', 'V1_4_2', 'V2_0'];
  check(capabilities, { level: 'orderer', known, oneOf: known });
}

/**
 * As for the channel; transactions are validated here by the rules of 2.0 only.
 *
 * @throws POLICY_CONFIG_INVALID. @see Fabric common/capabilities/application.go.
 */
export function checkApplicationCapabilities(capabilities: Capabilities): void {
  check(capabilities, {
    level: 'application',
    known: ['V1_1', 'V1_2', 'V1_3', 'V1_4_2', 'V2_0', 'V2_5'],
    oneOf: ['V2_0', 'V2_5'],
  });
}

function check(
  { capabilities }: Capabilities,
  wanted: { level: string; known: readonly string[]; oneOf: readonly string[] },
): void {
  const { level } = wanted;
  for (const capability of capabilities.keys()) {
    if (wanted.known.includes(capability)) continue;
    throw fault('POLICY_CONFIG_INVALID', { reason: 'unknown capability', level, capability });
  }
  if (wanted.oneOf.some((capability) => capabilities.has(capability))) return;
  throw fault('POLICY_CONFIG_INVALID', {
    reason: 'capability is missing',
    level,
    oneOf: wanted.oneOf.join(', '),
  });
}
