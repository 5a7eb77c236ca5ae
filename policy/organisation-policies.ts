import {
  ConfigPolicy,
  FabricMspConfig,
  MspConfig,
  SignaturePolicyEnvelope,
  mspRoles,
  namesOnly,
  policyTypes,
} from '#formats';
import type { ConfigGroup } from '#formats';
import { readOr } from './chaincode-action.ts';
import type { ChannelConfig } from './channel-config.ts';
import { rolePrincipal } from './principal.ts';

/** What of the application's policies the contract lifecycle rests on; plain values. */
export interface LifecycleFacts {
  /** The application's organisations with a policy that the endorsement of each alone satisfies. */
  organisations: OrganisationPolicy[];
  /** Whether there is a policy for contracts that name none: `/Channel/Application/Endorsement`. */
  hasEndorsementPolicy: boolean;
}

export interface OrganisationPolicy {
  mspid: string;
  /** common.SignaturePolicyEnvelope bytes, with principals of the organisation only. */
  keyPolicy: Uint8Array;
}

/** Reads them from the channel's configuration, organisations in the order of their MSP ids. */
export function lifecycleFacts({ config, applicationOrgs }: ChannelConfig): LifecycleFacts {
  const application = config.channelGroup?.groups.get('Application');
  const groups = new Map(
    [...(application?.groups.values() ?? [])].map((group) => [mspIdOf(group), group]),
  );
  return {
    organisations: [...applicationOrgs].toSorted().map((mspid) => ({
      mspid,
      keyPolicy: keyPolicyOf(mspid, groups.get(mspid)),
    })),
    hasEndorsementPolicy: application?.policies.has('Endorsement') ?? false,
  };
}

function mspIdOf(group: ConfigGroup): string | undefined {
  const value = group.values.get('MSP')?.value;
  return value && readOr(() => FabricMspConfig.decode(MspConfig.decode(value).config).name);
}

/** The organisation's own Endorsement policy; failing that, any of its peers. */
function keyPolicyOf(mspid: string, group: ConfigGroup | undefined): Uint8Array {
  const { policy } = group?.policies.get('Endorsement') ?? ConfigPolicy.initial();
  if (policy?.type === policyTypes.signature) {
    const envelope = readOr(() => SignaturePolicyEnvelope.decode(policy.value));
    if (envelope !== undefined && namesOnly(envelope, mspid)) {
      return SignaturePolicyEnvelope.encode(envelope);
    }
  }
  return SignaturePolicyEnvelope.encode({
    version: 0,
    rule: { signedBy: undefined, nOutOf: { n: 1, rules: [{ signedBy: 0, nOutOf: undefined }] } },
    identities: [rolePrincipal(mspid, mspRoles.peer)],
  });
}
