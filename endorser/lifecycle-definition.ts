import { Fault, emptyBytes, limits } from '#base';
import {
  ApplicationPolicy,
  checkLifecycleWrites,
  definitionWrites,
  endorsementPlugin,
  isContractName,
  isContractVersion,
  systemContracts,
  validationPlugin,
} from '#formats';
import type { ApprovedContract, ContractDefinition } from '#formats';
import type { LifecycleFacts } from '#policy';
import { fault } from './faults.ts';

/** A definition before anybody's code is tied to it. */
export type CodelessDefinition = Omit<ContractDefinition, 'codeHash'>;

/** A definition as Fabric's tools ask for it; what is empty has a default. */
export interface AskedDefinition {
  name: string;
  sequence: bigint;
  version: string;
  endorsementPlugin: string;
  validationPlugin: string;
  /** protos.ApplicationPolicy bytes. */
  validationParameter: Uint8Array;
  /** protos.CollectionConfigPackage bytes. */
  collections: Uint8Array | undefined;
  initRequired: boolean;
}

/** @see Fabric core/chaincode/lifecycle/lifecycle.go, DefaultEndorsementPolicyRef. */
const endorsementPolicyPath = '/Channel/Application/Endorsement';

/**
 * Completes what was asked with Fabric's defaults, and refuses what stock peers could not live with
 * or this service does not do.
 *
 * @throws ENDORSER_DEFINITION_INVALID with the reason, in Fabric's words where Fabric has some.
 * @see Fabric core/chaincode/lifecycle/scc.go, validateInput; lifecycle.go,
 *   SetChaincodeDefinitionDefaults.
 */
export function completeDefinition(
  asked: AskedDefinition,
  facts: Pick<LifecycleFacts, 'hasEndorsementPolicy'>,
): CodelessDefinition {
  const { name, sequence, version } = asked;
  checkNames(name, version);
  checkParts(asked);
  const applicationPolicy =
    asked.validationParameter.length > 0 ? asked.validationParameter : defaultPolicy(facts);
  return { name, sequence, version, applicationPolicy };
}

/**
 * Whether peers can take the definition: by the signer hosts' own rule, since what they refuse later
 * fails with less to say.
 *
 * @throws ENDORSER_DEFINITION_INVALID
 */
export function checkDefinition(definition: CodelessDefinition): void {
  if (definition.applicationPolicy.length > limits.contractPolicyBytesMax) {
    throw invalid('the validation parameter is too large');
  }
  try {
    checkLifecycleWrites(definitionWrites(definition));
  } catch (cause) {
    if (!(cause instanceof Fault)) throw cause;
    throw invalid('the validation parameter is no well-formed application policy', cause);
  }
}

/** The form in which an organisation's approval keeps it. */
export function approvedContract(
  definition: CodelessDefinition,
  codeHash: Uint8Array,
  packageId: string,
): ApprovedContract {
  return { ...definition, codeHash, packageId };
}

function checkNames(name: string, version: string): void {
  if (systemContracts.has(name)) {
    throw notValid(`chaincode name '${name}' is the name of a system chaincode`);
  }
  if (!isContractName(name)) {
    throw notValid(
      `invalid chaincode name '${shown(name)}'. Names can only consist of alphanumerics, '_', and '-' and ` +
        'can only begin with alphanumerics',
    );
  }
  if (isContractVersion(version)) return;
  throw notValid(
    `invalid chaincode version '${shown(version)}'. Versions can only consist of alphanumerics, '_', '-', ` +
      "'+', and '.'",
  );
}

function checkParts({ collections = emptyBytes, initRequired, ...plugins }: AskedDefinition): void {
  // Peers would ask each other for private data that nobody has.
  if (collections.length > 0) throw notValid('private data collections are not supported');
  if (initRequired) throw notValid('init-required is not supported, contracts have no Init');
  for (const [asked, known] of [
    [plugins.endorsementPlugin, endorsementPlugin],
    [plugins.validationPlugin, validationPlugin],
  ] as const) {
    // A peer without the plugin stays up and silently stops committing.
    if (asked !== '' && asked !== known) {
      throw notValid(`plugin '${shown(asked)}' is not supported, only '${known}'`);
    }
  }
}

function defaultPolicy({ hasEndorsementPolicy }: Pick<LifecycleFacts, 'hasEndorsementPolicy'>) {
  if (!hasEndorsementPolicy) {
    throw invalid(`policy '${endorsementPolicyPath}' must be defined for the channel`);
  }
  return ApplicationPolicy.encode({ channelConfigPolicyReference: endorsementPolicyPath });
}

function notValid(reason: string): Error {
  return invalid(`error validating chaincode definition: ${reason}`);
}

function invalid(reason: string, cause?: unknown): Error {
  return fault('ENDORSER_DEFINITION_INVALID', { reason }, cause);
}

/** What a caller sent goes back to it in part at most. */
function shown(text: string): string {
  return text.slice(0, limits.nameBytes);
}
