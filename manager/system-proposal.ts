import { Fault, limits } from '#base';
import type { Clock } from '#base';
import { ChannelHeader, SignatureHeader, headerTypes, transactionId } from '#formats';
import type { Timestamp } from '#formats';
import type { ChannelConfig, Identity, SignedData } from '#policy';
import { CallFailure, grpcCodes } from './grpc-faults.ts';
import type { ReadProposal } from './signed-proposal.ts';

export interface SystemProposalContext {
  config: ChannelConfig;
  clock: Clock;
  /** The organisation whose endpoint was called; undefined at the zone's own. */
  mspid: string | undefined;
}

/**
 * Judges a proposal that is answered without an endorser, as a stock peer and its filters judge it: a
 * proposal without channel must be by a member of the very organisation whose peer is asked.
 *
 * @throws CallFailure UNKNOWN, as the stock service, with its sentence.
 * @see Fabric core/endorser/msgvalidation.go, core/handlers/auth/filter.
 */
export function checkSystemProposal(
  proposal: ReadProposal,
  { config, clock, mspid }: SystemProposalContext,
): { identity: Identity; signed: SignedData } {
  const channelHeader = ChannelHeader.decode(proposal.channelHeader);
  const { creator, nonce } = SignatureHeader.decode(proposal.signatureHeader);
  checkHeaders(channelHeader, creator, nonce);
  const { proposalBytes, signature } = proposal.signed;
  const denied = (who: string) =>
    invalid(`access denied: channel [${shown(channelHeader.channelId)}] creator org ${who}`);
  const identity = identityOf(creator, config);
  const isForeign = proposal.channel === '' && mspid !== undefined && identity?.mspid !== mspid;
  if (identity === undefined || isForeign) throw denied('unknown, creator is malformed');
  if (!config.verifySignature(identity, proposalBytes, signature)) {
    throw denied(`[${identity.mspid}]`);
  }
  if (identity.certificate.notAfter.getTime() < clock.nowMs()) {
    throw new CallFailure(grpcCodes.unknown, 'proposal client identity expired');
  }
  checkTime(channelHeader.timestamp, clock);
  return { identity, signed: { identity: creator, data: proposalBytes, signature } };
}

function checkHeaders(
  { type, epoch, txId }: ChannelHeader,
  creator: Uint8Array,
  nonce: Uint8Array,
): void {
  // Fabric's tools send some of their questions as configurations.
  const isKnownType = type === headerTypes.endorserTransaction || type === headerTypes.config;
  if (!isKnownType) throw invalid(`invalid header type ${type}`);
  if (epoch !== 0n) throw invalid('epoch is non-zero');
  if (nonce.length === 0) throw invalid('nonce is empty');
  if (creator.length === 0) throw invalid('creator is empty');
  const expected = transactionId(nonce, creator);
  if (txId === expected) return;
  throw invalid(`incorrectly computed txid '${shown(txId)}' -- expected '${expected}'`);
}

function identityOf(creator: Uint8Array, config: ChannelConfig): Identity | undefined {
  try {
    return config.identity(creator);
  } catch (error) {
    if (error instanceof Fault) return undefined;
    throw error;
  }
}

function checkTime(timestamp: Timestamp | undefined, clock: Clock): void {
  const awaySeconds = Math.abs(Number(timestamp?.seconds ?? 0n) - clock.nowMs() / 1000);
  if (awaySeconds <= limits.clockSkewSecondsMax) return;
  throw new CallFailure(
    grpcCodes.unknown,
    `request unauthorized due to incorrect timestamp, peer.authentication.timewindow ${limits.clockSkewSecondsMax}s`,
  );
}

function invalid(sentence: string): CallFailure {
  return new CallFailure(grpcCodes.unknown, `error validating proposal: ${sentence}`);
}

/** As much of a caller's text as can be right. */
function shown(text: string): string {
  return text.slice(0, 256);
}
