import { Fault, equalBytes, limits } from '#base';
import {
  CombinedPrincipal,
  MspIdentityAnonymity,
  MspRole,
  OrganizationUnit,
  mspIdentityAnonymities,
  mspRoles,
  principalClassifications,
} from '#formats';
import type { MspPrincipal } from '#formats';
import type { Member } from './member.ts';

/**
 * Whether the member is what the principal describes. A principal that cannot be read describes
 * nobody.
 *
 * @see Fabric msp/mspimpl.go, SatisfiesPrincipal and satisfiesPrincipalInternalV142.
 */
export function satisfiesPrincipal(member: Member, principal: MspPrincipal): boolean {
  try {
    const parts = flatten(principal, 0);
    return parts.length > 0 && parts.every((part) => satisfiesPart(member, part));
  } catch (error) {
    if (error instanceof Fault) return false;
    throw error;
  }
}

/** Whether the member holds the role in its own provider. */
export function hasRole(member: Member, role: number): boolean {
  const { nodeOus } = member.msp;
  switch (role) {
    case mspRoles.member:
      return member.failure === undefined;
    case mspRoles.admin:
      // The list was checked when it was read, so being on it is enough, revoked or not.
      if (member.msp.isListedAdmin(member.certificate)) return true;
      return carriesUnit(member, nodeOus?.admin?.unit);
    case mspRoles.client:
      return carriesUnit(member, nodeOus?.client?.unit);
    case mspRoles.peer:
      return carriesUnit(member, nodeOus?.peer?.unit);
    case mspRoles.orderer:
      return carriesUnit(member, nodeOus?.orderer?.unit);
    default:
      return false;
  }
}

export function rolePrincipal(mspid: string, role: number): MspPrincipal {
  return {
    principalClassification: principalClassifications.role,
    principal: MspRole.encode({ mspIdentifier: mspid, role }),
  };
}

function satisfiesPart(member: Member, part: MspPrincipal): boolean {
  switch (part.principalClassification) {
    case principalClassifications.role: {
      const { mspIdentifier, role } = MspRole.decode(part.principal);
      return mspIdentifier === member.mspid && hasRole(member, role);
    }
    case principalClassifications.organizationUnit:
      return isInUnit(member, OrganizationUnit.decode(part.principal));
    case principalClassifications.identity: {
      const named = member.msp.memberOf(part.principal);
      return member.hasCertificate(named.certificate) && named.failure === undefined;
    }
    case principalClassifications.anonymity: {
      const { anonymityType } = MspIdentityAnonymity.decode(part.principal);
      // A certificate names its holder; Fabric asks for nothing else here, not even validity.
      return anonymityType === mspIdentityAnonymities.nominal;
    }
    default:
      return false;
  }
}

function isInUnit(member: Member, wanted: OrganizationUnit): boolean {
  if (wanted.mspIdentifier !== member.mspid || member.failure !== undefined) return false;
  return (
    member.organizationalUnits.includes(wanted.organizationalUnitIdentifier) &&
    equalBytes(wanted.certifiersIdentifier, member.certifiersIdentifier)
  );
}

function carriesUnit(member: Member, unit: string | undefined): boolean {
  if (unit === undefined || member.failure !== undefined) return false;
  return member.organizationalUnits.includes(unit);
}

/** A combined principal's parts; one without any describes nobody. */
function flatten(principal: MspPrincipal, depth: number): MspPrincipal[] {
  if (principal.principalClassification !== principalClassifications.combined) return [principal];
  const { principals } = CombinedPrincipal.decode(principal.principal);
  // Each level is bytes of its own, so the codec's bound on depth does not see them.
  if (principals.length === 0 || depth >= limits.protobufDepthMax) return [nobody];
  return principals.flatMap((inner) => flatten(inner, depth + 1));
}

const nobody: MspPrincipal = { principalClassification: -1, principal: new Uint8Array(0) };
