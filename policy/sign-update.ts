import { concatBytes } from '#base';
import {
  ConfigUpdateEnvelope,
  Envelope,
  Payload,
  SignatureHeader,
  buildChannelHeader,
  headerTypes,
} from '#formats';

/** Somebody who signs, as a member of a provider. */
export interface UpdateSigner {
  /** msp.SerializedIdentity bytes. */
  readonly serialized: Uint8Array;
  /** @returns DER with low s. */
  sign(data: Uint8Array): Uint8Array;
}

/**
 * common.ConfigUpdateEnvelope bytes: the update with signatures that each stand for itself.
 *
 * @param nonce 24 random bytes for each signature.
 */
export function signUpdate(
  update: Uint8Array,
  signers: readonly UpdateSigner[],
  nonce: () => Uint8Array,
): Uint8Array {
  const signatures = signers.map((signer) => {
    const signatureHeader = SignatureHeader.encode({ creator: signer.serialized, nonce: nonce() });
    return { signatureHeader, signature: signer.sign(concatBytes(signatureHeader, update)) };
  });
  return ConfigUpdateEnvelope.encode({ configUpdate: update, signatures });
}

/** common.Envelope bytes around a signed update, by whoever sends it. */
export function updateEnvelope(
  data: Uint8Array,
  parts: { channel: string; sender: UpdateSigner; timeMs: number; nonce: Uint8Array },
): Uint8Array {
  const { channel, sender, timeMs, nonce } = parts;
  const payload = Payload.encode({
    header: {
      channelHeader: buildChannelHeader({ type: headerTypes.configUpdate, channel, timeMs }),
      signatureHeader: SignatureHeader.encode({ creator: sender.serialized, nonce }),
    },
    data,
  });
  return Envelope.encode({ payload, signature: sender.sign(payload) });
}
