import { mspRoles } from '#formats';
import type { MspPrincipal, SignaturePolicy, SignaturePolicyEnvelope } from '#formats';
import { fault } from './faults.ts';
import type { PolicyIdentity } from './identity.ts';
import { rolePrincipal } from './principal.ts';

/** A policy that was checked when it was read; evaluating it cannot fail, only say no. */
export interface CompiledPolicy {
  /** @param identities valid signers without repetition, in the order of their signatures. */
  evaluate(identities: readonly PolicyIdentity[]): boolean;
  /** What the planner walks. */
  readonly shape: PolicyShape;
}

export type PolicyShape =
  | { readonly kind: 'signature'; readonly rule: CompiledRule }
  | { readonly kind: 'implicitMeta'; readonly threshold: number; readonly parts: PolicyShape[] }
  | { readonly kind: 'reject' };

export type CompiledRule =
  | { readonly principal: MspPrincipal }
  | { readonly needed: number; readonly rules: readonly CompiledRule[] };

/**
 * Compiles a signature policy. Every signer satisfies one principal at most: the first of the
 * tree, walked in order, that it fits and that nobody before it took. As in Fabric, a gate that is
 * met already goes on taking signers.
 *
 * @throws POLICY_CONFIG_INVALID an empty rule, or a principal index out of range.
 * @see Fabric common/cauthdsl/cauthdsl.go, compile.
 */
export function compileSignaturePolicy(envelope: SignaturePolicyEnvelope): CompiledPolicy {
  const rule = compileRule(envelope.rule, envelope.identities);
  return {
    evaluate: (identities) =>
      evaluateRule(
        rule,
        identities,
        identities.map(() => false),
      ) !== false,
    shape: { kind: 'signature', rule },
  };
}

/** "n of these organisations' members", the default where a channel names no lifecycle policy. */
export function membersPolicy(needed: number, mspids: readonly string[]): SignaturePolicyEnvelope {
  // Go's default sorts by bytes; MSP ids are ASCII in practice, where this is the same.
  const sorted = mspids.toSorted();
  const rules = sorted.map((_mspid, signedBy) => ({ signedBy, nOutOf: undefined }));
  return {
    version: 0,
    rule: { signedBy: undefined, nOutOf: { n: needed, rules } },
    identities: sorted.map((mspid) => rolePrincipal(mspid, mspRoles.member)),
  };
}

function compileRule(
  policy: SignaturePolicy | undefined,
  principals: readonly MspPrincipal[],
): CompiledRule {
  if (policy?.nOutOf !== undefined) {
    const { n, rules } = policy.nOutOf;
    return { needed: n, rules: rules.map((rule) => compileRule(rule, principals)) };
  }
  if (policy?.signedBy === undefined) {
    throw fault('POLICY_CONFIG_INVALID', { reason: 'empty rule in a signature policy' });
  }
  const principal = principals[policy.signedBy];
  if (principal === undefined) {
    throw fault('POLICY_CONFIG_INVALID', {
      reason: 'principal index out of range',
      index: policy.signedBy,
    });
  }
  return { principal };
}

/** @returns which signers are used up after this rule, or false when it is not met. */
function evaluateRule(
  rule: CompiledRule,
  identities: readonly PolicyIdentity[],
  used: readonly boolean[],
): readonly boolean[] | false {
  if ('principal' in rule) {
    const taken = identities.findIndex(
      (identity, index) => used[index] === false && identity.satisfies(rule.principal),
    );
    return taken < 0 ? false : used.with(taken, true);
  }
  let met = 0;
  let usedSoFar = used;
  for (const inner of rule.rules) {
    const usedAfter = evaluateRule(inner, identities, usedSoFar);
    if (usedAfter === false) continue;
    usedSoFar = usedAfter;
    met += 1;
  }
  return met >= rule.needed ? usedSoFar : false;
}
