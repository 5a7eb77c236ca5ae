import { limits } from '#base';
import { sha256 } from '#crypto';
import {
  ChaincodeEndorsementInfo,
  ChaincodeValidationInfo,
  StateData,
  StateMetadata,
} from './fabric-lifecycle.ts';
import { ApplicationPolicy } from './fabric-policies.ts';
import type { SignaturePolicy, SignaturePolicyEnvelope } from './fabric-policies.ts';
import type { KvWrite } from './fabric-rwset.ts';
import { fault } from './faults.ts';
import {
  definitionDatatype,
  definitionFields,
  endorsementPlugin,
  lifecycleKeys,
  validationPlugin,
} from './lifecycle.ts';

/**
 * Lets only whole, well-formed definitions through. A stock peer that meets any other form of a
 * definition it was given validly stops: at that block, and again at every restart.
 *
 * @param writes all writes to `_lifecycle` of one transaction.
 * @throws FORMATS_DEFINITION_INVALID, FORMATS_PROTOBUF_INVALID, FORMATS_PROTOBUF_NOT_CANONICAL
 * @see Fabric core/chaincode/lifecycle/{serializer,cache,deployedcc_infoprovider}.go.
 */
export function checkLifecycleWrites(writes: readonly KvWrite[]): void {
  const left = new Map<string, Uint8Array>();
  for (const { key, value, isDelete } of writes) {
    if (isDelete || value.length === 0) throw invalid('deletes', key);
    if (left.has(key)) throw invalid('written twice', key);
    left.set(key, value);
  }
  const prefix = lifecycleKeys.metadata('');
  for (const { key } of writes) {
    if (key.startsWith(prefix)) takeDefinition(key.slice(prefix.length), left);
  }
  for (const [key, value] of left) {
    if (key !== lifecycleKeys.code(sha256(value))) throw invalid('no part of a definition', key);
  }
}

/** @see Fabric core/chaincode/lifecycle/scc.go, ChaincodeNameRegExp and ChaincodeVersionRegExp. */
const contractName = /^[a-zA-Z0-9]+(?:[-_][a-zA-Z0-9]+)*$/;
const contractVersion = /^[A-Za-z0-9_.+-]+$/;
const int64Max = 2n ** 63n - 1n;

/** Whether Fabric's lifecycle would take the name, and it is no system namespace of a peer. */
export function isContractName(name: string): boolean {
  if (name.length > limits.nameBytes || systemContracts.has(name)) return false;
  return contractName.test(name);
}

/** Chaincodes built into every peer; `_lifecycle` and "" are no contract names to begin with. */
export const systemContracts: ReadonlySet<string> = new Set([
  'cscc',
  'escc',
  'lscc',
  'qscc',
  'vscc',
]);

/** Whether Fabric's lifecycle would take the version. */
export function isContractVersion(version: string): boolean {
  return version.length <= limits.nameBytes && contractVersion.test(version);
}

/** 1 and up, with room for a next one. */
export function isSequence(sequence: bigint): boolean {
  return sequence >= 1n && sequence < int64Max;
}

function takeDefinition(name: string, left: Map<string, Uint8Array>): void {
  if (!isContractName(name)) throw invalid('name', lifecycleKeys.metadata(name));
  const take = (key: string): Uint8Array => {
    const value = left.get(key);
    if (value === undefined) throw invalid('missing', key);
    left.delete(key);
    return value;
  };
  const metadata = StateMetadata.decodeCanonical(take(lifecycleKeys.metadata(name)));
  const known = metadata.fields.join() === definitionFields.join();
  if (metadata.datatype !== definitionDatatype || !known) throw invalid('metadata', name);
  for (const field of definitionFields) {
    const data = StateData.decodeCanonical(take(lifecycleKeys.field(name, field)));
    if (!fieldRules[field](data)) throw invalid(field, name);
  }
  const codeHash = left.get(lifecycleKeys.contract(name));
  if (codeHash === undefined) return;
  if (codeHash.length !== 32) throw invalid('code hash', name);
  left.delete(lifecycleKeys.contract(name));
}

/** Each rule sees the one arm that was set; the wrong arm leaves the right one undefined. */
const fieldRules: Record<(typeof definitionFields)[number], (data: StateData) => boolean> = {
  Sequence: ({ int64 }) => int64 !== undefined && isSequence(int64),
  EndorsementInfo: ({ bytes }) => {
    if (bytes === undefined) return false;
    const info = ChaincodeEndorsementInfo.decodeCanonical(bytes);
    return (
      isContractVersion(info.version) &&
      info.endorsementPlugin === endorsementPlugin &&
      !info.initRequired
    );
  },
  ValidationInfo: ({ bytes }) => {
    if (bytes === undefined) return false;
    const info = ChaincodeValidationInfo.decodeCanonical(bytes);
    // A peer without the plugin stays up and silently stops committing.
    if (info.validationPlugin !== validationPlugin) return false;
    return isApplicationPolicy(info.validationParameter);
  },
  Collections: ({ bytes }) => bytes?.length === 0,
};

/** Whether a stock peer can evaluate it; whether anyone can meet it is another question. */
export function isApplicationPolicy(bytes: Uint8Array): boolean {
  const policy = ApplicationPolicy.decodeCanonical(bytes);
  const { signaturePolicy, channelConfigPolicyReference: reference } = policy;
  if (signaturePolicy !== undefined) return isSignaturePolicy(signaturePolicy);
  return reference !== undefined && /^\/Channel\/[A-Za-z0-9./_-]+$/.test(reference);
}

export function isSignaturePolicy({ version, rule, identities }: SignaturePolicyEnvelope): boolean {
  return version === 0 && rule !== undefined && isRule(rule, identities.length);
}

/** A rule that can be met: decoding has bounded its depth. */
function isRule({ signedBy, nOutOf }: SignaturePolicy, identities: number): boolean {
  if (signedBy !== undefined) return signedBy >= 0 && signedBy < identities;
  if (nOutOf === undefined) return false;
  const { n, rules } = nOutOf;
  return n >= 1 && n <= rules.length && rules.every((rule) => isRule(rule, identities));
}

function invalid(reason: string, key: string): Error {
  return fault('FORMATS_DEFINITION_INVALID', { reason, key });
}
