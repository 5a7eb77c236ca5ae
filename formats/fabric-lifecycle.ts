/** Messages of fabric-protos peer/lifecycle/: what `_lifecycle` keeps in the state. */
import { message } from './protobuf.ts';
import type { MessageOf } from './protobuf.ts';
import {
  bool,
  bytes,
  int64,
  optionalBytes,
  optionalInt64,
  optionalText,
  repeatedText,
  text,
} from './protobuf-fields.ts';

export const StateMetadata = message('lifecycle.StateMetadata', {
  datatype: text(1),
  fields: repeatedText(2),
});
export type StateMetadata = MessageOf<typeof StateMetadata>;

export const StateData = message(
  'lifecycle.StateData',
  { int64: optionalInt64(1), bytes: optionalBytes(2), string: optionalText(3) },
  [['int64', 'bytes', 'string']],
);
export type StateData = MessageOf<typeof StateData>;

export const ChaincodeEndorsementInfo = message('lifecycle.ChaincodeEndorsementInfo', {
  version: text(1),
  initRequired: bool(2),
  endorsementPlugin: text(3),
});
export type ChaincodeEndorsementInfo = MessageOf<typeof ChaincodeEndorsementInfo>;

export const ChaincodeValidationInfo = message('lifecycle.ChaincodeValidationInfo', {
  validationPlugin: text(1),
  validationParameter: bytes(2),
});
export type ChaincodeValidationInfo = MessageOf<typeof ChaincodeValidationInfo>;

/** Also the form of CheckCommitReadinessArgs. */
export const CommitChaincodeDefinitionArgs = message('lifecycle.CommitChaincodeDefinitionArgs', {
  sequence: int64(1),
  name: text(2),
  version: text(3),
  endorsementPlugin: text(4),
  validationPlugin: text(5),
  validationParameter: bytes(6),
  /** protos.CollectionConfigPackage bytes. */
  collections: optionalBytes(7),
  initRequired: bool(8),
});
export type CommitChaincodeDefinitionArgs = MessageOf<typeof CommitChaincodeDefinitionArgs>;
