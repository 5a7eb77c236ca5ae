import { emptyBytes } from '#base';
import { sha256 } from '#crypto';
import {
  ApplicationPolicy,
  ChaincodeEndorsementInfo,
  ChaincodeValidationInfo,
  StateData,
  StateMetadata,
  definitionDatatype,
  definitionFields,
  endorsementPlugin,
  lifecycleKeys,
  validationPlugin,
} from '#formats';
import type { DefinitionField, KvRwSet, KvWrite } from '#formats';
import { fault } from './faults.ts';

/**
 * Allows only writes to `_lifecycle` that define a contract in the one form stock peers can take.
 * A peer that reads any other stops, at this block and again at every restart.
 *
 * @throws HSM_DEFINITION_INVALID, and formats' faults for values that are not canonical.
 * @see Fabric core/chaincode/lifecycle/serializer.go and deployedcc_infoprovider.go.
 */
export function checkDefinition(rwset: KvRwSet): void {
  if (rwset.metadataWrites.length > 0) throw invalid('metadata writes');
  const seen = new Set<string>();
  for (const write of rwset.writes) {
    if (write.isDelete || write.value.length === 0) throw invalid('a delete', write.key);
    if (seen.has(write.key)) throw invalid('a key twice', write.key);
    seen.add(write.key);
    checkWrite(write);
  }
  for (const key of seen) checkWhole(key, seen);
}

/** @see Fabric internal/peer/lifecycle and core/chaincode/lifecycle/scc.go, ChaincodeNameRegExp. */
const contractName = /^[a-zA-Z0-9]+(?:[-_][a-zA-Z0-9]+)*$/;
const nameBytesMax = 64;

const prefixes = {
  metadata: lifecycleKeys.metadata(''),
  fields: 'namespaces/fields/',
  code: lifecycleKeys.code(emptyBytes),
  contract: lifecycleKeys.contract(''),
} as const;

function checkWrite({ key, value }: KvWrite): void {
  if (key.startsWith(prefixes.metadata)) {
    checkName(key.slice(prefixes.metadata.length), key);
    return checkMetadata(value);
  }
  if (key.startsWith(prefixes.code)) {
    if (key !== lifecycleKeys.code(sha256(value))) throw invalid('another hash', key);
    return;
  }
  if (key.startsWith(prefixes.contract)) {
    checkName(key.slice(prefixes.contract.length), key);
    if (value.length !== 32) throw invalid('not a code hash', key);
    return;
  }
  if (!key.startsWith(prefixes.fields)) throw invalid('an unknown key', key);
  const [name, field, ...rest] = key.slice(prefixes.fields.length).split('/');
  if (name === undefined || rest.length > 0) throw invalid('an unknown key', key);
  checkName(name, key);
  if (!isField(field)) throw invalid('an unknown field', key);
  fieldChecks[field](StateData.decodeCanonical(value));
}

function checkName(name: string, key: string): void {
  if (name.length > nameBytesMax || !contractName.test(name)) throw invalid('a bad name', key);
}

function isField(text: string | undefined): text is DefinitionField {
  return (definitionFields as readonly (string | undefined)[]).includes(text);
}

function checkMetadata(value: Uint8Array): void {
  const metadata = StateMetadata.decodeCanonical(value);
  const right =
    metadata.datatype === definitionDatatype && metadata.fields.join() === definitionFields.join();
  if (!right) throw invalid('metadata');
}

const fieldChecks: Readonly<Record<DefinitionField, (data: StateData) => void>> = {
  Sequence: ({ int64 }) => {
    if (int64 === undefined || int64 < 1n) throw invalid('Sequence');
  },
  EndorsementInfo: ({ bytes }) => {
    if (bytes === undefined) throw invalid('EndorsementInfo');
    const info = ChaincodeEndorsementInfo.decodeCanonical(bytes);
    if (info.endorsementPlugin !== endorsementPlugin || info.version === '')
      throw invalid('EndorsementInfo');
  },
  ValidationInfo: ({ bytes }) => {
    if (bytes === undefined) throw invalid('ValidationInfo');
    const info = ChaincodeValidationInfo.decodeCanonical(bytes);
    // A peer that does not know the plugin stops committing, without a word to anyone.
    if (info.validationPlugin !== validationPlugin) throw invalid('ValidationInfo');
    const policy = ApplicationPolicy.decodeCanonical(info.validationParameter);
    const named = policy.channelConfigPolicyReference?.startsWith('/') ?? false;
    if (policy.signaturePolicy?.rule === undefined && !named) throw invalid('ValidationInfo');
  },
  Collections: ({ bytes }) => {
    if (bytes?.length !== 0) throw invalid('Collections');
  },
};

/** A definition is written whole: a peer that finds half of one stops. */
function checkWhole(key: string, keys: ReadonlySet<string>): void {
  const isPart = key.startsWith(prefixes.metadata) || key.startsWith(prefixes.fields);
  if (!isPart) return;
  const name = key.split('/')[2] ?? '';
  const wanted = [
    lifecycleKeys.metadata(name),
    ...definitionFields.map((field) => lifecycleKeys.field(name, field)),
  ];
  const missing = wanted.find((one) => !keys.has(one));
  if (missing !== undefined) throw invalid('half a definition', missing);
}

function invalid(reason: string, key?: string) {
  return fault('HSM_DEFINITION_INVALID', { reason, key });
}
