import { utf8 } from '#base';
import { ApplicationPolicy } from '#formats';
import type { MspPrincipal, SignaturePolicy, SignaturePolicyEnvelope } from '#formats';
import { ChannelConfig, buildGenesisBlock, parsePolicyText } from '#policy';
import type { SignedData } from '#policy';
import { signed, testNetwork } from './test-channel.ts';
import type { TestOrg } from './test-channel.ts';

export const { spec, orgs, zone } = await testNetwork(7);
export const config = ChannelConfig.fromBlock(buildGenesisBlock(spec));
/** What every signature of these tests is over. */
export const data = utf8('what is endorsed');

export const peersOf = (...signers: TestOrg[]): SignedData[] =>
  signers.map((org) => signed(org.mspid, org.peer, data));

/** Whether the signatures satisfy a contract's policy. */
export function satisfied(
  policy: string | SignaturePolicyEnvelope,
  signatures: SignedData[],
): boolean {
  const signaturePolicy = typeof policy === 'string' ? parsePolicyText(policy) : policy;
  return config.evaluateApplicationPolicy(
    ApplicationPolicy.encode({ signaturePolicy }),
    signatures,
  );
}

/** A policy that needs all of the principals. */
export const principalPolicy = (...identities: MspPrincipal[]): SignaturePolicyEnvelope => ({
  version: 0,
  rule: {
    signedBy: undefined,
    nOutOf: {
      n: identities.length,
      rules: identities.map((_one, signedBy): SignaturePolicy => ({ signedBy, nOutOf: undefined })),
    },
  },
  identities,
});
