import { SharedStart } from '#crypto';
import type { NodeEndorsement } from '#formats';
import type { ChannelConfig } from '#policy';

/**
 * Notes endorsements that this endorser's own signer hosts have just made: when the block comes, they
 * need not be looked at again. The manager looks at them in any case.
 *
 * @param payload protos.ProposalResponsePayload bytes that they are about.
 */
export function trustOwn(
  payload: Uint8Array,
  endorsements: readonly NodeEndorsement[],
  config: ChannelConfig,
): void {
  const start = new SharedStart(payload);
  for (const { endorsement } of endorsements) {
    const { endorser, signature } = endorsement!;
    const identity = config.findMember(endorser);
    if (identity !== undefined) config.trustSignature(identity, endorser, signature, start);
  }
}
