import { Fault } from '#base';
import { parseCertificate } from '#crypto';
import { Envelope, SerializedIdentity, SignatureHeader } from '#formats';
import type { ConfigEnvelope } from '#formats';
import type { ChannelConfig } from './channel-config.ts';
import { checkOrdering } from './config-succession.ts';
import { nextConfig } from './config-update.ts';
import { fault } from './faults.ts';
import { asMalformed, parseUpdate } from './parse-update.ts';
import type { ParsedUpdate } from './parse-update.ts';
import { firstPemBlock } from './pem-identity.ts';

const writersPath = '/Channel/Writers';
const blockValidationPath = '/Channel/Orderer/BlockValidation';

/** An update that may be ordered. */
export interface AcceptedUpdate {
  /** What the CONFIG transaction carries. */
  readonly envelope: ConfigEnvelope;
  /** The configuration after it. */
  readonly next: ChannelConfig;
}

/** Who orders, and when. */
export interface OrderingParty {
  /** msp.SerializedIdentity of the key that will sign the CONFIG transaction and the blocks. */
  readonly orderer: Uint8Array;
  /** The sender's certificate must not have expired then. */
  readonly at: Date;
}

/**
 * Judges an update as an ordering service does before it orders it: size, sender, then all that
 * `proposeConfigUpdate` says, then its own rules. The orderer has to be able to go on: it may write
 * now, and sign blocks afterwards.
 *
 * @param bytes common.Envelope of type CONFIG_UPDATE, as it came.
 * @throws POLICY_UPDATE_MALFORMED, POLICY_UPDATE_CHANNEL_OTHER, POLICY_ENVELOPE_TOO_LARGE,
 *   POLICY_UPDATE_SENDER_EXPIRED, POLICY_UPDATE_SENDER_DENIED, POLICY_UPDATE_ORDERER_DENIED; what
 *   `proposeConfigUpdate` throws.
 * @see Fabric orderer/common/msgprocessor/standardchannel.go, ProcessConfigUpdateMsg.
 */
export function acceptConfigUpdate(
  config: ChannelConfig,
  bytes: Uint8Array,
  { orderer, at }: OrderingParty,
): AcceptedUpdate {
  const envelope = asMalformed(() => Envelope.decodeCanonical(bytes));
  checkEnvelopeSize(config, envelope);
  const update = parseUpdate(envelope);
  checkSender(config, envelope, update, at);
  const next = nextConfig(config, update);
  checkOrdering(config, next);
  checkOrderer(config, next, orderer);
  return { envelope: { config: next.config, lastUpdate: envelope }, next };
}

/** @throws POLICY_ENVELOPE_TOO_LARGE over the channel's AbsoluteMaxBytes. */
export function checkEnvelopeSize(
  { batchSize }: ChannelConfig,
  { payload, signature }: Envelope,
): void {
  const sizeBytes = payload.length + signature.length;
  const sizeBytesMax = batchSize.absoluteMaxBytes;
  if (sizeBytes > sizeBytesMax)
    throw fault('POLICY_ENVELOPE_TOO_LARGE', { sizeBytes, sizeBytesMax });
}

function checkSender(
  config: ChannelConfig,
  { payload, signature }: Envelope,
  { channelId, header }: ParsedUpdate,
  at: Date,
): void {
  if (channelId !== config.channelId) {
    throw fault('POLICY_UPDATE_CHANNEL_OTHER', { channel: config.channelId });
  }
  const { creator } = asMalformed(() => SignatureHeader.decode(header.signatureHeader));
  const expiry = expiryOf(creator);
  if (expiry !== undefined && at >= expiry) {
    throw fault('POLICY_UPDATE_SENDER_EXPIRED', { expiredAt: expiry.toISOString() });
  }
  if (config.evaluate(writersPath, [{ identity: creator, data: payload, signature }])) return;
  throw fault('POLICY_UPDATE_SENDER_DENIED', { policy: writersPath });
}

/** A chain whose blocks nobody can sign any more would have come to its end. */
function checkOrderer(current: ChannelConfig, next: ChannelConfig, orderer: Uint8Array): void {
  for (const [config, policy] of [
    [current, writersPath],
    [next, blockValidationPath],
  ] as const) {
    if (!config.couldSatisfy(policy, [orderer])) {
      throw fault('POLICY_UPDATE_ORDERER_DENIED', { policy });
    }
  }
}

/** Undefined for whoever has no certificate: then nobody vouches for it either. */
function expiryOf(creator: Uint8Array): Date | undefined {
  try {
    const der = firstPemBlock(SerializedIdentity.decode(creator).idBytes);
    return der && parseCertificate(der).notAfter;
  } catch (error) {
    if (error instanceof Fault) return undefined;
    throw error;
  }
}
