import { Fault } from '#base';
import { ChannelHeader, Envelope, Payload, SignatureHeader, transactionId } from '#formats';

/**
 * The id under which a transaction is indexed, also an invalid one: what its channel header says, or
 * else what its creator and nonce make.
 *
 * @returns empty when the envelope cannot be read that far.
 * @see Fabric protoutil/txutils.go, GetOrComputeTxIDFromEnvelope.
 */
export function transactionIdOf(envelope: Uint8Array): string {
  try {
    const { header } = Payload.decode(Envelope.decode(envelope).payload);
    if (header === undefined) return '';
    const { txId } = ChannelHeader.decode(header.channelHeader);
    if (txId !== '') return txId;
    const { nonce, creator } = SignatureHeader.decode(header.signatureHeader);
    return transactionId(nonce, creator);
  } catch (error) {
    if (error instanceof Fault) return '';
    throw error;
  }
}
