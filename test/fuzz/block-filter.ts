import { Fault } from '#base';
import {
  ApplicationPolicy,
  ChannelHeader,
  Envelope,
  KvMetadataWrite,
  Payload,
  SignaturePolicyEnvelope,
  checkLifecycleWrites,
  lifecycleNamespace,
  readDefinition,
  validationCodes,
} from '#formats';
import type { NamespaceRwSet, ParsedRwSet, TransactionVerdict } from '#formats';
import type { Ledger } from '#ledger';
import { validateTransaction } from '#policy';
import type { ChannelConfig, TransactionLookups } from '#policy';
import { fitnessOf, isAmbiguous } from '../interop/fitness.ts';
import type { BuiltTransaction } from './fuzz-chain.ts';
import type { TransactionRecipe } from './recipe.ts';

/**
 * Keeps out of a block what stock peers would die of, wait for without end, or judge by chance:
 * docs/FABRIC.md tells what that is. The zone refuses all of it before it signs, so that leaving it
 * out hides nothing that could happen.
 */
export class BlockFilter {
  readonly #config: () => ChannelConfig;
  readonly #lookups: TransactionLookups;

  constructor(config: () => ChannelConfig, ledger: Ledger) {
    this.#config = config;
    this.#lookups = lookupsOf(ledger);
  }

  /** The transactions that may come into one block, those in front that can be read to the end. */
  fitFor(made: readonly BuiltTransaction[]): BuiltTransaction[] {
    const readable: BuiltTransaction[] = [];
    const unreadable: BuiltTransaction[] = [];
    const keys: KeysSet = { all: new Set(), unsettled: new Set() };
    for (const one of made) {
      // Peers read it whatever else is wrong with the transaction, so what validation says of it comes late.
      let rwset: ParsedRwSet | undefined;
      const fit = fitnessOf(one.envelope, (found) => {
        rwset = found;
        return isCommittable(found);
      });
      if (!isWellFormed(one.envelope)) continue;
      // A creator without a channel is looked up among the members of the peer's own organisation.
      if (this.#channelOf(one.envelope) === '') continue;
      if (fit === 'unreadable') unreadable.push(one);
      if (fit === 'readable' && this.#isSettled(one, rwset, keys)) readable.push(one);
    }
    return [...readable, ...unreadable];
  }

  /** Whether it names the channel that it is for. */
  mayLead(envelope: Uint8Array): boolean {
    return this.#channelOf(envelope) === this.#config().channelId;
  }

  #channelOf(envelope: Uint8Array): string | undefined {
    try {
      const { header } = Payload.decode(Envelope.decode(envelope).payload);
      return header && ChannelHeader.decode(header.channelHeader).channelId;
    } catch (error) {
      if (error instanceof Fault) return undefined;
      throw error;
    }
  }

  /**
   * Whether a stock peer says the same of it each time, and in time. It looks at the endorsements of
   * a write to a key only after it has heard what became of all transactions before it that set
   * the key's policy; of those that fail an earlier check it never hears.
   *
   * @param keys whose policy the block sets so far; the transaction's own are added.
   * @see Fabric core/common/validation/statebased/vpmanagerimpl.go, waitForValidationResults.
   */
  #isSettled(
    { recipe, envelope }: BuiltTransaction,
    rwset: ParsedRwSet | undefined,
    keys: KeysSet,
  ): boolean {
    const verdict = this.#verdict(envelope, this.#lookups);
    if (verdict === undefined) return false;
    if (rwset === undefined) return true;
    const { code } = verdict;
    const { VALID, ENDORSEMENT_POLICY_FAILURE, INVALID_CHAINCODE } = validationCodes;
    const touched = keysWritten(rwset);
    const judged = namespacesJudged(recipe, rwset);
    const several = judged.length > 1;
    const mayWait = [VALID, ENDORSEMENT_POLICY_FAILURE, INVALID_CHAINCODE].some(
      (it) => it === code,
    );
    if (mayWait && touched.some((key) => keys.unsettled.has(key))) return false;
    const refused = touched.some((key) => keys.all.has(key));
    const undefinedOnes = judged.filter((namespace) => !this.#isDefined(namespace));
    const mayFailEither = several && undefinedOnes.length > 0 && mayWait;
    if (mayFailEither && (refused || !this.#isAgreed(envelope))) return false;
    const heardOf = several ? code === VALID && !refused : mayWait && code !== INVALID_CHAINCODE;
    for (const key of keysRestricted(rwset)) {
      keys.all.add(key);
      if (!heardOf) keys.unsettled.add(key);
    }
    return true;
  }

  /**
   * Which of several namespaces a stock peer looks at first is up to chance, and so is the code when
   * one is not defined and another not endorsed.
   *
   * @see Fabric core/committer/txvalidator/v20/plugindispatcher/dispatcher.go, the range of a map.
   */
  #isAgreed(envelope: Uint8Array): boolean {
    const definition = (namespace: string) =>
      this.#lookups.definition(namespace) ?? { applicationPolicy: anybody, plugin: 'vscc' };
    const verdict = this.#verdict(envelope, { ...this.#lookups, definition });
    return verdict?.code === validationCodes.VALID;
  }

  #isDefined(namespace: string): boolean {
    return namespace === lifecycleNamespace || this.#lookups.definition(namespace) !== undefined;
  }

  /** Undefined where a stock peer would stop. */
  #verdict(envelope: Uint8Array, lookups: TransactionLookups): TransactionVerdict | undefined {
    try {
      return validateTransaction(this.#config(), envelope, lookups);
    } catch (error) {
      if (error instanceof Fault) return undefined;
      throw error;
    }
  }
}

/** Keys whose policy a block sets, and those of them that a later write must not come to. */
interface KeysSet {
  readonly all: Set<string>;
  readonly unsettled: Set<string>;
}

function lookupsOf(ledger: Ledger): TransactionLookups {
  const get = (key: string) => ledger.get(lifecycleNamespace, key)?.value;
  return {
    hasTransaction: (txId) => ledger.hasTransaction(txId),
    definition: (namespace) => {
      const found = readDefinition(namespace, get);
      const { applicationPolicy, validationPlugin: plugin } = found ?? {};
      return applicationPolicy && plugin !== undefined ? { applicationPolicy, plugin } : undefined;
    },
    keyPolicy: (namespace, key) => {
      const metadata = ledger.get(namespace, key)?.metadata;
      if (metadata === undefined) return undefined;
      const { entries } = KvMetadataWrite.decode(metadata);
      return entries.findLast(({ name }) => name === policyName)?.value;
    },
  };
}

const anybody = ApplicationPolicy.encode({
  signaturePolicy: {
    version: 0,
    rule: { signedBy: undefined, nOutOf: { n: 0, rules: [] } },
    identities: [],
  },
});

const keyBytesMax = 1_000;
const policyName = 'VALIDATION_PARAMETER';

/** Whether a stock peer, and a ledger of ours, can commit what the set says, should it be valid. */
function isCommittable({ namespaces }: ParsedRwSet): boolean {
  return namespaces.every(
    (set) =>
      (set.collections ?? []).length === 0 &&
      [...set.writes, ...set.metadataWrites].every(({ key }) => key.length <= keyBytesMax) &&
      set.metadataWrites.every(({ entries }) => entries.every(isReadablePolicy)) &&
      (set.namespace !== lifecycleNamespace || isDefinition(set)),
  );
}

/** A key under a policy that cannot be read stops the stock peer that looks at the next write to it. */
function isReadablePolicy({ name, value }: { name: string; value: Uint8Array }): boolean {
  if (name !== policyName) return true;
  try {
    SignaturePolicyEnvelope.decode(value);
    return !isAmbiguous(SignaturePolicyEnvelope, value);
  } catch (error) {
    if (error instanceof Fault) return false;
    throw error;
  }
}

/** Peers refuse a whole block for an envelope that lacks one of the two. */
function isWellFormed(envelope: Uint8Array): boolean {
  const { payload, signature } = Envelope.decode(envelope);
  return payload.length > 0 && signature.length > 0;
}

/** As the zone's signer hosts have it. */
function isDefinition(set: NamespaceRwSet): boolean {
  try {
    checkLifecycleWrites(set.writes);
    return set.metadataWrites.length === 0;
  } catch (error) {
    if (error instanceof Fault) return false;
    throw error;
  }
}

/** The namespaces that a stock peer judges: the contract's, and all that are written to. */
function namespacesJudged(
  recipe: TransactionRecipe | undefined,
  { namespaces }: ParsedRwSet,
): string[] {
  const contract = recipe?.definition === undefined ? recipe?.contract : lifecycleNamespace;
  const written = namespaces.filter((set) => set.writes.length + set.metadataWrites.length > 0);
  return [...new Set([contract ?? 'notary', ...written.map(({ namespace }) => namespace)])];
}

const keyId = (namespace: string, key: string) => JSON.stringify([namespace, key]);

function keysRestricted({ namespaces }: ParsedRwSet): string[] {
  return namespaces.flatMap(({ namespace, metadataWrites }) =>
    metadataWrites.map(({ key }) => keyId(namespace, key)),
  );
}

function keysWritten({ namespaces }: ParsedRwSet): string[] {
  return namespaces.flatMap(({ namespace, writes, metadataWrites }) =>
    [...writes, ...metadataWrites].map(({ key }) => keyId(namespace, key)),
  );
}
