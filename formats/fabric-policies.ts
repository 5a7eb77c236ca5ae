/** Messages of fabric-protos common/policies.proto, peer/policy.proto, msp/*.proto. */
import { message } from './protobuf.ts';
import type { Message, MessageOf } from './protobuf.ts';
import {
  bool,
  bytes,
  int32,
  nested,
  optionalInt32,
  optionalText,
  repeatedBytes,
  repeatedNested,
  text,
} from './protobuf-fields.ts';

export const policyTypes = { unknown: 0, signature: 1, msp: 2, implicitMeta: 3 } as const;

export const Policy = message('common.Policy', { type: int32(1), value: bytes(2) });
export type Policy = MessageOf<typeof Policy>;

export const principalClassifications = {
  role: 0,
  organizationUnit: 1,
  identity: 2,
  anonymity: 3,
  combined: 4,
} as const;

export const MspPrincipal = message('common.MSPPrincipal', {
  principalClassification: int32(1),
  principal: bytes(2),
});
export type MspPrincipal = MessageOf<typeof MspPrincipal>;

export const mspRoles = { member: 0, admin: 1, client: 2, peer: 3, orderer: 4 } as const;

export const MspRole = message('common.MSPRole', { mspIdentifier: text(1), role: int32(2) });
export type MspRole = MessageOf<typeof MspRole>;

export const OrganizationUnit = message('common.OrganizationUnit', {
  mspIdentifier: text(1),
  organizationalUnitIdentifier: text(2),
  certifiersIdentifier: bytes(3),
});
export type OrganizationUnit = MessageOf<typeof OrganizationUnit>;

export const CombinedPrincipal = message('common.CombinedPrincipal', {
  principals: repeatedNested(1, () => MspPrincipal),
});

export const mspIdentityAnonymities = { nominal: 0, anonymous: 1 } as const;

export const MspIdentityAnonymity = message('common.MSPIdentityAnonymity', {
  anonymityType: int32(1),
});

/** Recursive, so its shape is written out; exactly one of the two is set. */
export interface SignaturePolicy {
  signedBy: number | undefined;
  nOutOf: { n: number; rules: SignaturePolicy[] } | undefined;
}

const NOutOf: Message<{ n: number; rules: SignaturePolicy[] }> = message(
  'common.SignaturePolicy.NOutOf',
  { n: int32(1), rules: repeatedNested(2, (): Message<SignaturePolicy> => SignaturePolicy) },
);

export const SignaturePolicy: Message<SignaturePolicy> = message(
  'common.SignaturePolicy',
  { signedBy: optionalInt32(1), nOutOf: nested(2, () => NOutOf) },
  [['signedBy', 'nOutOf']],
);

export const SignaturePolicyEnvelope = message('common.SignaturePolicyEnvelope', {
  version: int32(1),
  rule: nested(2, () => SignaturePolicy),
  identities: repeatedNested(3, () => MspPrincipal),
});
export type SignaturePolicyEnvelope = MessageOf<typeof SignaturePolicyEnvelope>;

export const implicitMetaRules = { any: 0, all: 1, majority: 2 } as const;

export const ImplicitMetaPolicy = message('common.ImplicitMetaPolicy', {
  subPolicy: text(1),
  rule: int32(2),
});
export type ImplicitMetaPolicy = MessageOf<typeof ImplicitMetaPolicy>;

export const ApplicationPolicy = message(
  'protos.ApplicationPolicy',
  {
    signaturePolicy: nested(1, () => SignaturePolicyEnvelope),
    channelConfigPolicyReference: optionalText(2),
  },
  [['signaturePolicy', 'channelConfigPolicyReference']],
);
export type ApplicationPolicy = MessageOf<typeof ApplicationPolicy>;

export const SerializedIdentity = message('msp.SerializedIdentity', {
  mspid: text(1),
  idBytes: bytes(2),
});
export type SerializedIdentity = MessageOf<typeof SerializedIdentity>;

export const FabricOuIdentifier = message('msp.FabricOUIdentifier', {
  certificate: bytes(1),
  organizationalUnitIdentifier: text(2),
});
export type FabricOuIdentifier = MessageOf<typeof FabricOuIdentifier>;

export const FabricNodeOus = message('msp.FabricNodeOUs', {
  enable: bool(1),
  clientOuIdentifier: nested(2, () => FabricOuIdentifier),
  peerOuIdentifier: nested(3, () => FabricOuIdentifier),
  adminOuIdentifier: nested(4, () => FabricOuIdentifier),
  ordererOuIdentifier: nested(5, () => FabricOuIdentifier),
});
export type FabricNodeOus = MessageOf<typeof FabricNodeOus>;

export const FabricCryptoConfig = message('msp.FabricCryptoConfig', {
  signatureHashFamily: text(1),
  identityIdentifierHashFunction: text(2),
});

export const FabricMspConfig = message('msp.FabricMSPConfig', {
  name: text(1),
  rootCerts: repeatedBytes(2),
  intermediateCerts: repeatedBytes(3),
  admins: repeatedBytes(4),
  revocationList: repeatedBytes(5),
  signingIdentity: bytes(6),
  organizationalUnitIdentifiers: repeatedNested(7, () => FabricOuIdentifier),
  cryptoConfig: nested(8, () => FabricCryptoConfig),
  tlsRootCerts: repeatedBytes(9),
  tlsIntermediateCerts: repeatedBytes(10),
  fabricNodeOus: nested(11, () => FabricNodeOus),
});
export type FabricMspConfig = MessageOf<typeof FabricMspConfig>;

export const MspConfig = message('msp.MSPConfig', { type: int32(1), config: bytes(2) });
export type MspConfig = MessageOf<typeof MspConfig>;
