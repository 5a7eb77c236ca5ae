import { equalBytes } from '#base';
import type { FabricNodeOus, FabricOuIdentifier } from '#formats';
import type { Member } from './member.ts';

/** An organisational unit, and the path of authorities that alone may hand it out, if one is set. */
export interface CertifiedUnit {
  readonly unit: string;
  readonly certifiersIdentifier?: Uint8Array;
}

/** Which organisational unit stands for which role. */
export type NodeOus = Readonly<
  Partial<Record<'client' | 'peer' | 'admin' | 'orderer', CertifiedUnit>>
>;

/**
 * Reads a provider's node units.
 *
 * @param certifiersOf the certifiers identifier of an authority given as PEM.
 * @returns undefined where roles are not told apart: switched off, or no unit named.
 * @see Fabric msp/mspimplsetup.go, setupNodeOUsV142.
 */
export function readNodeOus(
  config: FabricNodeOus | undefined,
  certifiersOf: (pem: Uint8Array) => Uint8Array,
): NodeOus | undefined {
  if (config === undefined) return undefined;
  const read = (identifier: FabricOuIdentifier | undefined): CertifiedUnit | undefined => {
    if (identifier === undefined) return undefined;
    const { certificate, organizationalUnitIdentifier: unit } = identifier;
    if (certificate.length === 0) return { unit };
    return { unit, certifiersIdentifier: certifiersOf(certificate) };
  };
  const ous = {
    client: read(config.clientOuIdentifier),
    peer: read(config.peerOuIdentifier),
    admin: read(config.adminOuIdentifier),
    orderer: read(config.ordererOuIdentifier),
  };
  const someNamed = Object.values(ous).some((unit) => unit !== undefined);
  return config.enable && someNamed ? ous : undefined;
}

/**
 * Why the member's units do not make it exactly one of client, peer, admin and orderer; undefined
 * when they do.
 *
 * @see Fabric msp/mspimplvalidate.go, validateIdentityOUsV142.
 */
export function nodeOuFailure(ous: NodeOus, member: Member): string | undefined {
  // Units of one name are one rule, the last of them, as in Fabric's map.
  const special = new Map(
    [ous.client, ous.peer, ous.admin, ous.orderer].flatMap((one) =>
      one === undefined ? [] : [[one.unit, one.certifiersIdentifier] as const],
    ),
  );
  let roles = 0;
  for (const unit of member.organizationalUnits) {
    if (!special.has(unit)) continue;
    const certifiers = special.get(unit);
    if (certifiers !== undefined && !equalBytes(certifiers, member.certifiersIdentifier)) {
      return 'organisational unit from another authority';
    }
    roles += 1;
    if (roles > 1) return 'more than one role';
  }
  return roles === 0 ? 'no role' : undefined;
}
