import { emptyBytes, toHex } from '#base';
import { sha256 } from '#crypto';
import {
  ChaincodeEndorsementInfo,
  ChaincodeValidationInfo,
  StateData,
  StateMetadata,
} from './fabric-lifecycle.ts';
import { ApplicationPolicy } from './fabric-policies.ts';
import type { KvWrite } from './fabric-rwset.ts';
import { fault } from './faults.ts';

/** Namespace of the contracts' definitions. */
export const lifecycleNamespace = '_lifecycle';

/** protos.ApplicationPolicy bytes of the policy that definitions themselves are under. */
export const lifecyclePolicy = ApplicationPolicy.encode({
  channelConfigPolicyReference: '/Channel/Application/LifecycleEndorsement',
});

/** The parts of a definition that the state keeps one by one. */
export const definitionFields = [
  'Sequence',
  'EndorsementInfo',
  'ValidationInfo',
  'Collections',
] as const;
export type DefinitionField = (typeof definitionFields)[number];

/** Keys in {@link lifecycleNamespace}: Fabric's two, and four of ours that stock peers ignore. */
export const lifecycleKeys = {
  metadata: (name: string) => `namespaces/metadata/${name}`,
  field: (name: string, field: DefinitionField) => `namespaces/fields/${name}/${field}`,
  /** Holds the code itself. @param hash SHA-256 of the code, 32 bytes. */
  code: (hash: Uint8Array) => `countersign/code/${toHex(hash)}`,
  /** Holds the hash of the contract's code, 32 bytes. */
  contract: (name: string) => `countersign/contract/${name}`,
  /** Holds what one organisation has approved; under its own endorsement alone. */
  approvals: (mspid: string) => `countersign/approvals/${mspid}`,
  /** Holds the newest rotation of one of the zone's keys. @param name of the key, not of a version. */
  rotation: (name: string) => `countersign/rotation/${name}`,
} as const;

/** A contract as the channel agreed on it. */
export interface ContractDefinition {
  name: string;
  version: string;
  /** 1 for the first definition of a name, one more for each that follows. */
  sequence: bigint;
  /** protos.ApplicationPolicy bytes. */
  applicationPolicy: Uint8Array;
  /** SHA-256 of the code, 32 bytes; absent when the code lives in stock chaincode. */
  codeHash?: Uint8Array;
}

/** A definition as found in the state, with what only stock peers use. */
export interface StoredDefinition extends ContractDefinition {
  endorsementPlugin: string;
  validationPlugin: string;
  initRequired: boolean;
}

export const definitionDatatype = 'ChaincodeDefinition';
export const endorsementPlugin = 'escc';
export const validationPlugin = 'vscc';

/**
 * The writes that define a contract, byte for byte as Fabric's own `_lifecycle` makes them.
 *
 * @param code stored beside the definition when given; else the state holds it already.
 * @see Fabric core/chaincode/lifecycle/serializer.go.
 */
export function definitionWrites(definition: ContractDefinition, code?: Uint8Array): KvWrite[] {
  const { name, version, sequence, applicationPolicy } = definition;
  const endorsementInfo = { version, endorsementPlugin, initRequired: false };
  const validationInfo = { validationPlugin, validationParameter: applicationPolicy };
  const states: Record<DefinitionField, Partial<StateData>> = {
    Sequence: { int64: sequence },
    EndorsementInfo: { bytes: ChaincodeEndorsementInfo.encode(endorsementInfo) },
    ValidationInfo: { bytes: ChaincodeValidationInfo.encode(validationInfo) },
    // Present and empty, 12 00: an absent arm would be a value of no bytes, which is a delete.
    Collections: { bytes: emptyBytes },
  };
  const metadata = { datatype: definitionDatatype, fields: [...definitionFields] };
  const writes = [write(lifecycleKeys.metadata(name), StateMetadata.encode(metadata))];
  for (const field of definitionFields) {
    writes.push(write(lifecycleKeys.field(name, field), StateData.encode(states[field])));
  }
  const codeHash = code === undefined ? definition.codeHash : sha256(code);
  if (codeHash !== undefined) writes.push(write(lifecycleKeys.contract(name), codeHash));
  if (code !== undefined) writes.push(write(lifecycleKeys.code(sha256(code)), code));
  return writes;
}

/**
 * Reads a contract's definition as a stock peer does before it validates the contract's writes.
 *
 * @param get the committed value of a key of `_lifecycle`, undefined when there is none.
 * @returns undefined when the name is not defined.
 * @throws FORMATS_DEFINITION_INVALID, FORMATS_PROTOBUF_INVALID where a stock peer stops.
 */
export function readDefinition(
  name: string,
  get: (key: string) => Uint8Array | undefined,
): StoredDefinition | undefined {
  const metadata = get(lifecycleKeys.metadata(name));
  if (metadata === undefined) return undefined;
  const { datatype } = StateMetadata.decode(metadata);
  if (datatype !== definitionDatatype) throw invalid('another datatype', datatype);
  const read = (field: DefinitionField) => {
    const key = lifecycleKeys.field(name, field);
    return { key, data: StateData.decode(get(key) ?? emptyBytes) };
  };
  const endorsement = ChaincodeEndorsementInfo.decode(bytesOf(read('EndorsementInfo')));
  const validation = ChaincodeValidationInfo.decode(bytesOf(read('ValidationInfo')));
  bytesOf(read('Collections'));
  const codeHash = get(lifecycleKeys.contract(name));
  return {
    name,
    version: endorsement.version,
    sequence: int64Of(read('Sequence')),
    applicationPolicy: validation.validationParameter,
    ...(codeHash === undefined ? {} : { codeHash }),
    endorsementPlugin: endorsement.endorsementPlugin,
    validationPlugin: validation.validationPlugin,
    initRequired: endorsement.initRequired,
  };
}

/**
 * The endorsement policy of a contract, `_lifecycle` itself included.
 *
 * @returns protos.ApplicationPolicy bytes; undefined when the contract is not defined.
 */
export function contractPolicy(
  name: string,
  get: (key: string) => Uint8Array | undefined,
): Uint8Array | undefined {
  if (name === lifecycleNamespace) return lifecyclePolicy;
  return readDefinition(name, get)?.applicationPolicy;
}

interface KeyedState {
  key: string;
  data: StateData;
}

/** A key that is not there reads as empty; another arm of the oneof is an error, as in Go. */
function bytesOf({ key, data }: KeyedState): Uint8Array {
  if (data.int64 !== undefined || data.string !== undefined) throw invalid('another arm', key);
  return data.bytes ?? emptyBytes;
}

function int64Of({ key, data }: KeyedState): bigint {
  if (data.bytes !== undefined || data.string !== undefined) throw invalid('another arm', key);
  return data.int64 ?? 0n;
}

function write(key: string, value: Uint8Array): KvWrite {
  return { key, isDelete: false, value };
}

function invalid(reason: string, key: string): Error {
  return fault('FORMATS_DEFINITION_INVALID', { reason, key });
}
