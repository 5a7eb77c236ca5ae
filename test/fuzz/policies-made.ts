import { emptyBytes, utf8 } from '#base';
import {
  ApplicationPolicy,
  CombinedPrincipal,
  MspIdentityAnonymity,
  MspRole,
  OrganizationUnit,
  SignaturePolicyEnvelope,
  mspRoles,
  principalClassifications,
} from '#formats';
import type { MspPrincipal, SignaturePolicy } from '#formats';
import { parsePolicyText } from '#policy';
import { serializedOf } from './people.ts';
import type { People } from './people.ts';
import type { PolicyRecipe } from './recipe.ts';

/** protos.ApplicationPolicy bytes, as a definition has them. */
export function applicationPolicyOf(recipe: PolicyRecipe, people: People): Uint8Array {
  if (/^[/@]/.test(recipe)) {
    const channelConfigPolicyReference = recipe.replace(/^@/, '');
    return ApplicationPolicy.encode({ channelConfigPolicyReference });
  }
  return ApplicationPolicy.encode({ signaturePolicy: envelopeOf(recipe, people) });
}

/** common.SignaturePolicyEnvelope bytes, as a key's metadata has them; it knows no references. */
export function keyPolicyOf(recipe: PolicyRecipe, people: People): Uint8Array {
  return SignaturePolicyEnvelope.encode(envelopeOf(recipe, people));
}

function envelopeOf(recipe: PolicyRecipe, people: People): SignaturePolicyEnvelope {
  const make = madePolicies[recipe];
  return make === undefined ? parsePolicyText(recipe) : make(people);
}

const { role, organizationUnit, identity, anonymity, combined } = principalClassifications;

const principal = (principalClassification: number, bytes: Uint8Array): MspPrincipal => ({
  principalClassification,
  principal: bytes,
});
const ofRole = (mspIdentifier: string, is: number) =>
  principal(role, MspRole.encode({ mspIdentifier, role: is }));
const ofUnit = (
  organizationalUnitIdentifier: string,
  certifiersIdentifier: Uint8Array = emptyBytes,
) =>
  principal(
    organizationUnit,
    OrganizationUnit.encode({
      mspIdentifier: 'Org1MSP',
      organizationalUnitIdentifier,
      certifiersIdentifier,
    }),
  );
const peerOf = (number: number) => ofRole(`Org${number}MSP`, mspRoles.peer);
const ofPerson = (people: People, name: string) =>
  principal(identity, serializedOf(people.get(name)));

const by = (signedBy: number): SignaturePolicy => ({ signedBy, nOutOf: undefined });
const outOf = (n: number, ...rules: SignaturePolicy[]): SignaturePolicy => ({
  signedBy: undefined,
  nOutOf: { n, rules },
});
const policy = (
  rule: SignaturePolicy | undefined,
  identities: MspPrincipal[],
  version = 0,
): SignaturePolicyEnvelope => ({ version, rule, identities });

/** What policy text cannot say, and what no administrator would. */
export const madePolicies: Readonly<Record<string, (people: People) => SignaturePolicyEnvelope>> = {
  '#unit': () => policy(by(0), [ofUnit('peer')]),
  '#unit of the intermediate': () => policy(by(0), [ofUnit('department')]),
  '#unit of other certifiers': () => policy(by(0), [ofUnit('peer', utf8('somebody'))]),
  '#identity': (people) => policy(by(0), [ofPerson(people, 'org1.peer')]),
  '#revoked identity': (people) => policy(by(0), [ofPerson(people, 'org1.revoked')]),
  '#identity that is none': () => policy(by(0), [principal(identity, utf8('nobody'))]),
  '#named': () => policy(by(0), [principal(anonymity, emptyBytes)]),
  '#nameless': () =>
    policy(by(0), [principal(anonymity, MspIdentityAnonymity.encode({ anonymityType: 1 }))]),
  '#both': () =>
    policy(by(0), [
      principal(combined, CombinedPrincipal.encode({ principals: [peerOf(1), ofUnit('peer')] })),
    ]),
  '#both of nothing': () => policy(by(0), [principal(combined, emptyBytes)]),
  '#unknown principal': () => policy(by(0), [principal(9, emptyBytes)]),
  '#unknown role': () => policy(by(0), [ofRole('Org1MSP', 9)]),
  '#principal that is none': () => policy(by(0), [principal(role, utf8('\u0007garbage'))]),
  '#orderer role': () => policy(by(0), [ofRole('Org1MSP', mspRoles.orderer)]),
  '#admin of the old kind': () => policy(by(0), [ofRole('Org4MSP', mspRoles.admin)]),
  '#member of the old kind': () => policy(by(0), [ofRole('Org4MSP', mspRoles.member)]),
  '#none needed': () => policy(outOf(0, by(0)), [peerOf(1)]),
  '#fewer than none': () => policy(outOf(-1, by(0)), [peerOf(1)]),
  '#more than there are': () => policy(outOf(3, by(0), by(1)), [peerOf(1), peerOf(2)]),
  '#no rules': () => policy(outOf(0), []),
  '#one principal twice': () => policy(outOf(2, by(0), by(0)), [peerOf(1)]),
  '#member before peer': () =>
    policy(outOf(2, by(0), by(1)), [ofRole('Org1MSP', mspRoles.member), peerOf(1)]),
  '#greedy': () =>
    policy(outOf(2, outOf(1, by(0), by(1)), by(1)), [
      ofRole('Org2MSP', mspRoles.member),
      peerOf(1),
    ]),
  '#of another version': () => policy(by(0), [peerOf(1)], 1),
  '#principal out of range': () => policy(by(1), [peerOf(1)]),
  '#principal before the first': () => policy(by(-1), [peerOf(1)]),
  '#unused principal': () => policy(by(0), [peerOf(1), principal(9, utf8('any'))]),
  '#no rule': () => policy(undefined, [peerOf(1)]),
  '#empty rule': () => policy(outOf(1, { signedBy: undefined, nOutOf: undefined }), [peerOf(1)]),
  '#deep': () => {
    let rule = by(0);
    for (let depth = 0; depth < 40; depth += 1) rule = outOf(1, rule);
    return policy(rule, [peerOf(1)]);
  },
};
