import {
  Envelope,
  Payload,
  SeekInfo,
  SignatureHeader,
  buildChannelHeader,
  headerTypes,
  seekBehaviors,
  seekContentTypes,
} from '#formats';
import type { TransportIdentity } from './transport-identity.ts';

export interface SeekSpec {
  channel: string;
  /** Number of the first block wanted. */
  start: bigint;
  /** Milliseconds since the Unix epoch; the other side takes 15 minutes' difference. */
  timeMs: number;
  /** 24 random bytes. */
  nonce: Uint8Array;
}

/**
 * A signed request for all blocks from a number on, for ever: those to come as they are made.
 *
 * @returns common.Envelope bytes.
 */
export function seekRequest(identity: TransportIdentity, spec: SeekSpec): Uint8Array {
  const { channel, start, timeMs, nonce } = spec;
  const data = SeekInfo.encode({
    start: position(start),
    stop: position(neverReached),
    behavior: seekBehaviors.blockUntilReady,
    contentType: seekContentTypes.block,
  });
  const payload = Payload.encode({
    header: {
      channelHeader: buildChannelHeader({ type: headerTypes.deliverSeekInfo, channel, timeMs }),
      signatureHeader: SignatureHeader.encode({ creator: identity.serialized, nonce }),
    },
    data,
  });
  return Envelope.encode({ payload, signature: identity.sign(payload) });
}

/** The largest block number there is. */
const neverReached = 2n ** 64n - 1n;

function position(number: bigint) {
  return { newest: undefined, oldest: undefined, specified: { number }, nextCommit: undefined };
}
