import { Fault, LruMap, latin1Of, limits } from '#base';
import { ApplicationPolicy } from '#formats';
import { rejectPolicy } from './implicit-meta.ts';
import type { PolicyManager } from './policy-manager.ts';
import { compileSignaturePolicy, membersPolicy } from './signature-policy.ts';
import type { CompiledPolicy } from './signature-policy.ts';

const lifecyclePath = '/Channel/Application/LifecycleEndorsement';

/**
 * The policies of contracts, compiled once each. One that cannot be read, or that names a policy the
 * channel does not have, rejects everybody.
 *
 * @see Fabric core/policy/application.go.
 */
export class ApplicationPolicies {
  /** protos.ApplicationPolicy bytes that govern `_lifecycle` itself. */
  readonly lifecycle: Uint8Array;
  readonly #channelPolicies: PolicyManager;
  readonly #compiled = new LruMap<string, CompiledPolicy>(limits.policiesCachedMax);

  constructor(channelPolicies: PolicyManager, applicationOrgs: readonly string[]) {
    this.#channelPolicies = channelPolicies;
    this.lifecycle = lifecyclePolicy(channelPolicies, applicationOrgs);
  }

  compiled(bytes: Uint8Array): CompiledPolicy {
    const key = latin1Of(bytes);
    const known = this.#compiled.get(key);
    if (known !== undefined) return known;
    const policy = this.#compile(Uint8Array.from(bytes));
    this.#compiled.set(key, policy);
    return policy;
  }

  #compile(bytes: Uint8Array): CompiledPolicy {
    try {
      const policy = ApplicationPolicy.decode(bytes);
      const { signaturePolicy, channelConfigPolicyReference: path } = policy;
      if (signaturePolicy !== undefined) return compileSignaturePolicy(signaturePolicy);
      return (path === undefined ? undefined : this.#channelPolicies.find(path)) ?? rejectPolicy;
    } catch (error) {
      if (error instanceof Fault) return rejectPolicy;
      throw error;
    }
  }
}

/** @see Fabric core/chaincode/lifecycle/lifecycle.go, LifecycleEndorsementPolicyAsBytes. */
function lifecyclePolicy(
  channelPolicies: PolicyManager,
  applicationOrgs: readonly string[],
): Uint8Array {
  if (channelPolicies.find(lifecyclePath) !== undefined) {
    return ApplicationPolicy.encode({ channelConfigPolicyReference: lifecyclePath });
  }
  const majority = Math.floor(applicationOrgs.length / 2) + 1;
  return ApplicationPolicy.encode({ signaturePolicy: membersPolicy(majority, applicationOrgs) });
}
