import { ApplicationPolicy } from '#formats';
import { parsePolicyText } from './policy-text.ts';

const referencePrefix = 'reference:';

/**
 * A contract's endorsement policy as people write it: Fabric's policy text, or `reference:` and the
 * path of a channel policy.
 *
 * @returns protos.ApplicationPolicy bytes.
 * @throws POLICY_TEXT_INVALID
 */
export function parseApplicationPolicyText(text: string): Uint8Array {
  if (!text.startsWith(referencePrefix)) {
    return ApplicationPolicy.encode({ signaturePolicy: parsePolicyText(text) });
  }
  const channelConfigPolicyReference = text.slice(referencePrefix.length);
  return ApplicationPolicy.encode({ channelConfigPolicyReference });
}
