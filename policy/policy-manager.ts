import { ImplicitMetaPolicy, SignaturePolicyEnvelope, policyTypes } from '#formats';
import type { ConfigGroup, ConfigPolicy } from '#formats';
import { fault } from './faults.ts';
import { compileImplicitMeta, rejectPolicy } from './implicit-meta.ts';
import { compileSignaturePolicy } from './signature-policy.ts';
import type { CompiledPolicy } from './signature-policy.ts';

const rootPath = '/Channel';

/**
 * Compiles all policies of a channel configuration and finds them by path, for example
 * `/Channel/Application/Writers`.
 *
 * @throws POLICY_CONFIG_INVALID a policy is missing its content or does not compile;
 *   FORMATS_PROTOBUF_INVALID.
 * @see Fabric common/policies/policy.go, NewManagerImpl.
 */
export class PolicyManager {
  readonly #policies: ReadonlyMap<string, CompiledPolicy>;

  constructor(channelGroup: ConfigGroup) {
    this.#policies = compileGroup(rootPath, channelGroup);
  }

  /**
   * The policy of an absolute path; undefined when there is none. Fabric takes any character for the
   * slash behind the root's name, and dies of a path that ends there.
   */
  find(path: string): CompiledPolicy | undefined {
    if (!path.startsWith(rootPath) || path.charCodeAt(rootPath.length) > 127) return undefined;
    return this.#policies.get(path.slice(rootPath.length + 1));
  }

  /**
   * The policy that a modification policy names: absolute, or relative to a group.
   *
   * @param group names of the groups below the channel's.
   * @see Fabric common/configtx/update.go, policyForItem.
   */
  findFrom(group: readonly string[], name: string): CompiledPolicy | undefined {
    if (name.startsWith('/')) return this.find(name);
    return this.#policies.get([...group, name].join('/'));
  }
}

/** Policies by their path relative to the group: `Writers`, and `Org1/Writers` of the groups below. */
function compileGroup(path: string, group: ConfigGroup): Map<string, CompiledPolicy> {
  const below = [...group.groups].map(
    ([name, inner]) => [name, compileGroup(`${path}/${name}`, inner)] as const,
  );
  const policies = new Map<string, CompiledPolicy>();
  for (const [name, policy] of group.policies) {
    const parts = below.map(([, inner]) => inner);
    policies.set(name, compilePolicy(`${path}/${name}`, policy, parts));
  }
  for (const [groupName, inner] of below) {
    for (const [name, policy] of inner) policies.set(`${groupName}/${name}`, policy);
  }
  return policies;
}

function compilePolicy(
  path: string,
  { policy }: ConfigPolicy,
  below: readonly ReadonlyMap<string, CompiledPolicy>[],
): CompiledPolicy {
  switch (policy?.type) {
    case policyTypes.signature: {
      const envelope = SignaturePolicyEnvelope.decode(policy.value);
      if (envelope.version !== 0) throw invalid(path, 'version of a signature policy');
      return compileSignaturePolicy(envelope);
    }
    case policyTypes.implicitMeta: {
      const meta = ImplicitMetaPolicy.decode(policy.value);
      const parts = below.map((inner) => inner.get(meta.subPolicy) ?? rejectPolicy);
      return compileImplicitMeta(meta, parts);
    }
    default:
      throw invalid(path, 'type of a policy');
  }
}

function invalid(path: string, reason: string): Error {
  return fault('POLICY_CONFIG_INVALID', { reason, path });
}
