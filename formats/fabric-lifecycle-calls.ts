/** Messages of fabric-protos peer/lifecycle/lifecycle.proto: calls to `_lifecycle` and its answers. */
import { message } from './protobuf.ts';
import type { MessageOf } from './protobuf.ts';
import {
  bool,
  bytes,
  int64,
  mapOf,
  nested,
  optionalBool,
  optionalBytes,
  optionalText,
  repeatedNested,
  repeatedText,
  text,
} from './protobuf-fields.ts';

export const InstallChaincodeArgs = message('lifecycle.InstallChaincodeArgs', {
  chaincodeInstallPackage: bytes(1),
});
export const InstallChaincodeResult = message('lifecycle.InstallChaincodeResult', {
  packageId: text(1),
  label: text(2),
});

export const QueryInstalledChaincodeArgs = message('lifecycle.QueryInstalledChaincodeArgs', {
  packageId: text(1),
});
const InstalledChaincode = message('lifecycle.QueryInstalledChaincodeResult.Chaincode', {
  name: text(1),
  version: text(2),
});
const InstalledReferences = message('lifecycle.QueryInstalledChaincodeResult.References', {
  chaincodes: repeatedNested(1, () => InstalledChaincode),
});
export type InstalledReferences = MessageOf<typeof InstalledReferences>;
const ReferencesEntry = message('lifecycle.QueryInstalledChaincodeResult.ReferencesEntry', {
  key: text(1),
  value: nested(2, () => InstalledReferences),
});
/** By channel, the contracts that use the package. */
const references = mapOf(
  3,
  () => ReferencesEntry,
  () => InstalledReferences.initial(),
);
export const QueryInstalledChaincodeResult = message('lifecycle.QueryInstalledChaincodeResult', {
  packageId: text(1),
  label: text(2),
  references,
});
export type QueryInstalledChaincodeResult = MessageOf<typeof QueryInstalledChaincodeResult>;

export const QueryInstalledChaincodesResult = message('lifecycle.QueryInstalledChaincodesResult', {
  /** Of the same form as the answer about one. */
  installedChaincodes: repeatedNested(1, () => QueryInstalledChaincodeResult),
});

export const GetInstalledChaincodePackageArgs = message(
  'lifecycle.GetInstalledChaincodePackageArgs',
  { packageId: text(1) },
);
export const GetInstalledChaincodePackageResult = message(
  'lifecycle.GetInstalledChaincodePackageResult',
  { chaincodeInstallPackage: bytes(1) },
);

const UnavailableSource = message('lifecycle.ChaincodeSource.Unavailable', {});
const LocalSource = message('lifecycle.ChaincodeSource.Local', { packageId: text(1) });
export const ChaincodeSource = message(
  'lifecycle.ChaincodeSource',
  { unavailable: nested(1, () => UnavailableSource), localPackage: nested(2, () => LocalSource) },
  [['unavailable', 'localPackage']],
);

export const ApproveChaincodeDefinitionForMyOrgArgs = message(
  'lifecycle.ApproveChaincodeDefinitionForMyOrgArgs',
  {
    sequence: int64(1),
    name: text(2),
    version: text(3),
    endorsementPlugin: text(4),
    validationPlugin: text(5),
    validationParameter: bytes(6),
    /** protos.CollectionConfigPackage bytes. */
    collections: optionalBytes(7),
    initRequired: bool(8),
    source: nested(9, () => ChaincodeSource),
  },
);
export type ApproveChaincodeDefinitionForMyOrgArgs = MessageOf<
  typeof ApproveChaincodeDefinitionForMyOrgArgs
>;

/** Both are always written, also when false: an entry of a map is not a plain message. */
const ApprovalEntry = message('lifecycle.CheckCommitReadinessResult.ApprovalsEntry', {
  key: optionalText(1),
  value: optionalBool(2),
});
const Mismatches = message('lifecycle.CheckCommitReadinessResult.Mismatches', {
  items: repeatedText(1),
});
const MismatchesEntry = message('lifecycle.CheckCommitReadinessResult.MismatchesEntry', {
  key: text(1),
  value: nested(2, () => Mismatches),
});
export const CheckCommitReadinessResult = message('lifecycle.CheckCommitReadinessResult', {
  approvals: repeatedNested(1, () => ApprovalEntry),
  mismatches: mapOf(
    2,
    () => MismatchesEntry,
    () => Mismatches.initial(),
  ),
});

export const QueryApprovedChaincodeDefinitionArgs = message(
  'lifecycle.QueryApprovedChaincodeDefinitionArgs',
  { name: text(1), sequence: int64(2) },
);
export const QueryApprovedChaincodeDefinitionResult = message(
  'lifecycle.QueryApprovedChaincodeDefinitionResult',
  {
    sequence: int64(1),
    version: text(2),
    endorsementPlugin: text(3),
    validationPlugin: text(4),
    validationParameter: bytes(5),
    collections: optionalBytes(6),
    initRequired: bool(7),
    source: nested(8, () => ChaincodeSource),
  },
);
const ApprovedDefinition = message(
  'lifecycle.QueryApprovedChaincodeDefinitionsResult.ApprovedChaincodeDefinition',
  {
    name: text(1),
    sequence: int64(2),
    version: text(3),
    endorsementPlugin: text(4),
    validationPlugin: text(5),
    validationParameter: bytes(6),
    collections: optionalBytes(7),
    initRequired: bool(8),
    source: nested(9, () => ChaincodeSource),
  },
);
/** Asked for by tools of 3.x only. */
export const QueryApprovedChaincodeDefinitionsResult = message(
  'lifecycle.QueryApprovedChaincodeDefinitionsResult',
  { approvedChaincodeDefinitions: repeatedNested(1, () => ApprovedDefinition) },
);

export const QueryChaincodeDefinitionArgs = message('lifecycle.QueryChaincodeDefinitionArgs', {
  name: text(1),
});
export const QueryChaincodeDefinitionResult = message('lifecycle.QueryChaincodeDefinitionResult', {
  sequence: int64(1),
  version: text(2),
  endorsementPlugin: text(3),
  validationPlugin: text(4),
  validationParameter: bytes(5),
  collections: optionalBytes(6),
  initRequired: bool(7),
  approvals: repeatedNested(8, () => ApprovalEntry),
});
const CommittedDefinition = message(
  'lifecycle.QueryChaincodeDefinitionsResult.ChaincodeDefinition',
  {
    name: text(1),
    sequence: int64(2),
    version: text(3),
    endorsementPlugin: text(4),
    validationPlugin: text(5),
    validationParameter: bytes(6),
    collections: optionalBytes(7),
    initRequired: bool(8),
  },
);
export const QueryChaincodeDefinitionsResult = message(
  'lifecycle.QueryChaincodeDefinitionsResult',
  { chaincodeDefinitions: repeatedNested(1, () => CommittedDefinition) },
);
