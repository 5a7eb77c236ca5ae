import { KvMetadataWrite, lifecycleNamespace, readDefinition } from '#formats';
import type { StateEntry } from './state.ts';

/** What the signature and policy stage may ask of the ledger below the block that it validates. */
export interface Lookups {
  get(namespace: string, key: string): StateEntry | undefined;
  /** Whether any earlier transaction, valid or not, had this id. */
  hasTransaction(txId: string): boolean;
  /** The key's VALIDATION_PARAMETER metadata; undefined when it has none. */
  keyPolicy(namespace: string, key: string): Uint8Array | undefined;
  /**
   * A contract's committed definition; undefined when there is none.
   *
   * @throws FORMATS_DEFINITION_INVALID, FORMATS_PROTOBUF_INVALID where a stock peer stops.
   */
  definition(namespace: string): LookedUpDefinition | undefined;
}

export interface LookedUpDefinition {
  /** protos.ApplicationPolicy bytes. */
  applicationPolicy: Uint8Array;
  /** Validation plugin. */
  plugin: string;
}

/** @see Fabric protos peer/policy.proto, MetaDataKeys. */
const keyPolicyName = 'VALIDATION_PARAMETER';

/** @param metadata kvrwset.KVMetadataWrite bytes of the key. */
export function keyPolicyOf(metadata: Uint8Array | undefined): Uint8Array | undefined {
  if (metadata === undefined) return undefined;
  const { entries } = KvMetadataWrite.decode(metadata);
  // Fabric reads them into a map: of two with one name the last counts.
  return entries.findLast(({ name }) => name === keyPolicyName)?.value;
}

export function definitionOf(
  namespace: string,
  state: Pick<Lookups, 'get'>,
): LookedUpDefinition | undefined {
  const found = readDefinition(namespace, (key) => state.get(lifecycleNamespace, key)?.value);
  if (found === undefined) return undefined;
  return { applicationPolicy: found.applicationPolicy, plugin: found.validationPlugin };
}
