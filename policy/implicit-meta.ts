import { implicitMetaRules } from '#formats';
import type { ImplicitMetaPolicy } from '#formats';
import { fault } from './faults.ts';
import type { CompiledPolicy } from './signature-policy.ts';

/** What every policy that does not exist answers: nobody is allowed. */
export const rejectPolicy: CompiledPolicy = { evaluate: () => false, shape: { kind: 'reject' } };

/**
 * Compiles a policy over the policies of one name in the groups below.
 *
 * @param parts one per group below, `rejectPolicy` where a group has no policy of that name: it
 *   counts for the threshold, and is never satisfied.
 * @throws POLICY_CONFIG_INVALID an unknown rule.
 * @see Fabric common/policies/implicitmeta.go.
 */
export function compileImplicitMeta(
  policy: ImplicitMetaPolicy,
  parts: readonly CompiledPolicy[],
): CompiledPolicy {
  const threshold = thresholdOf(policy.rule, parts.length);
  return {
    evaluate: (identities) => {
      let missing = threshold;
      for (const part of parts) {
        if (missing === 0) break;
        if (part.evaluate(identities)) missing -= 1;
      }
      return missing === 0;
    },
    shape: { kind: 'implicitMeta', threshold, parts: parts.map((part) => part.shape) },
  };
}

/** Where there is no group below, every rule is met: Fabric counts zero of zero as enough. */
function thresholdOf(rule: number, partCount: number): number {
  if (partCount === 0) return 0;
  switch (rule) {
    case implicitMetaRules.any:
      return 1;
    case implicitMetaRules.all:
      return partCount;
    case implicitMetaRules.majority:
      return Math.floor(partCount / 2) + 1;
    default:
      throw fault('POLICY_CONFIG_INVALID', { reason: 'unknown implicit rule', rule });
  }
}
