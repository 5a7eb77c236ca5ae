import { SharedStart } from '#crypto';
import { HashedRwSet, SignaturePolicyEnvelope, validationCodes } from '#formats';
import { ApplicationPolicy } from '#formats';
import type {
  ChaincodeEndorsedAction,
  NamespaceRwSet,
  ParsedRwSet,
  ValidationCode,
} from '#formats';
import { readOr } from './chaincode-action.ts';
import type { ChannelConfig } from './channel-config.ts';
import { fault } from './faults.ts';
import type { Member } from './member.ts';
import type { ContractDefinition, TransactionLookups } from './transaction-lookups.ts';

const lifecycleNamespace = '_lifecycle';
const stockPlugin = 'vscc';

/** Keys whose endorsement policy an earlier transaction of the same block set, by `keyId`. */
export type KeysRestricted = Set<string>;

/**
 * Whether the endorsements of a transaction suffice for everything it writes. The signatures are
 * checked once, however many policies have to be satisfied.
 *
 * @see Fabric core/common/validation/statebased/validator_keylevel.go and v20.go.
 */
export class EndorsementCheck {
  readonly #config: ChannelConfig;
  readonly #lookups: TransactionLookups;
  readonly #restricted: KeysRestricted;
  readonly #signers: readonly Member[];

  constructor(
    config: ChannelConfig,
    lookups: TransactionLookups,
    restricted: KeysRestricted,
    action: ChaincodeEndorsedAction,
  ) {
    this.#config = config;
    this.#lookups = lookups;
    this.#restricted = restricted;
    const { proposalResponsePayload, endorsements } = action;
    const start = new SharedStart(proposalResponsePayload);
    this.#signers = config.signers(
      endorsements.map(({ endorser, signature }) => ({
        identity: endorser,
        start,
        data: endorser,
        signature,
      })),
    );
  }

  /**
   * Judges the namespace of the contract that was called and every namespace written to.
   *
   * @throws POLICY_PLUGIN_UNKNOWN, POLICY_KEY_POLICY_INVALID: a stock peer stops validating here.
   */
  codeOf(contract: string, { namespaces }: ParsedRwSet): ValidationCode {
    const sets = new Map(namespaces.map((set) => [set.namespace, set]));
    const written = namespaces.filter(writes).map((set) => set.namespace);
    for (const namespace of new Set([contract, ...written])) {
      const definition = this.#definition(namespace);
      if (definition === undefined) return validationCodes.INVALID_CHAINCODE;
      const set = sets.get(namespace);
      if (!this.#suffices(namespace, set, definition.applicationPolicy)) {
        return validationCodes.ENDORSEMENT_POLICY_FAILURE;
      }
      // From here on the keys are under a policy that the state does not show yet.
      for (const { key } of set?.metadataWrites ?? []) this.#restricted.add(keyId(namespace, key));
    }
    return validationCodes.VALID;
  }

  #definition(namespace: string): ContractDefinition | undefined {
    if (namespace === lifecycleNamespace) {
      return { applicationPolicy: this.#config.lifecyclePolicy, plugin: stockPlugin };
    }
    const definition = this.#lookups.definition(namespace);
    if (definition === undefined || definition.plugin === '') return undefined;
    if (definition.applicationPolicy.length === 0) return undefined;
    if (definition.plugin === stockPlugin) return definition;
    throw fault('POLICY_PLUGIN_UNKNOWN', { namespace, plugin: definition.plugin });
  }

  /** The contract's policy is asked for keys without one of their own, and when there is no key. */
  #suffices(namespace: string, set: NamespaceRwSet | undefined, policy: Uint8Array): boolean {
    // Definitions here have no collections, and a stock peer refuses writes to undefined ones.
    if (set !== undefined && writesCollections(set)) return false;
    const keys = [...(set?.writes ?? []), ...(set?.metadataWrites ?? [])].map(({ key }) => key);
    let contractPolicyAsked = keys.length === 0;
    for (const key of keys) {
      if (this.#restricted.has(keyId(namespace, key))) return false;
      const keyPolicy = this.#lookups.keyPolicy(namespace, key);
      if (keyPolicy === undefined || keyPolicy.length === 0) contractPolicyAsked = true;
      else if (!this.#satisfies(applicationPolicyOf(keyPolicy, namespace))) return false;
    }
    return !contractPolicyAsked || this.#satisfies(policy);
  }

  #satisfies(applicationPolicy: Uint8Array): boolean {
    return this.#config.applicationPolicy(applicationPolicy).evaluate(this.#signers);
  }
}

function writes(set: NamespaceRwSet): boolean {
  return set.writes.length > 0 || set.metadataWrites.length > 0 || writesCollections(set);
}

function writesCollections({ collections = [] }: NamespaceRwSet): boolean {
  return collections.some(({ hashedRwset }) => {
    const { hashedWrites, metadataWrites } = HashedRwSet.decode(hashedRwset);
    return hashedWrites.length > 0 || metadataWrites.length > 0;
  });
}

/** A key's policy is stored as a bare signature policy. */
function applicationPolicyOf(keyPolicy: Uint8Array, namespace: string): Uint8Array {
  const signaturePolicy = readOr(() => SignaturePolicyEnvelope.decode(keyPolicy));
  if (signaturePolicy === undefined) throw fault('POLICY_KEY_POLICY_INVALID', { namespace });
  return ApplicationPolicy.encode({ signaturePolicy });
}

/** The length in front keeps "a" + "bc" and "ab" + "c" apart. */
function keyId(namespace: string, key: string): string {
  return `${namespace.length}:${namespace}${key}`;
}
