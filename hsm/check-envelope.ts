import { Fault, equalBytes } from '#base';
import {
  ChannelHeader,
  Payload,
  SignatureHeader,
  Transaction,
  TransactionAction,
  checkConfigContent,
  headerTypes,
  transactionId,
} from '#formats';
import { fault } from './faults.ts';
import type { ServedKey } from './served-keys.ts';

/**
 * Whether this key may sign the envelope's payload: a relay signs endorser transactions, the
 * ordering key configurations of its channels, each in its own name only.
 *
 * @param payload common.Payload.
 * @throws HSM_ROLE_DENIED, HSM_ENVELOPE_DENIED, FORMATS_PROTOBUF_INVALID,
 *   FORMATS_PROTOBUF_NOT_CANONICAL
 */
export function checkEnvelope(
  { role, identity, channels }: Pick<ServedKey, 'role' | 'identity' | 'channels'>,
  payload: Uint8Array,
): void {
  const { header, data } = Payload.decodeCanonical(payload);
  if (header === undefined) throw denied('no header');
  const channelHeader = ChannelHeader.decodeCanonical(header.channelHeader);
  const { creator, nonce } = SignatureHeader.decodeCanonical(header.signatureHeader);
  if (!equalBytes(creator, identity)) throw denied('another creator');
  if (nonce.length === 0) throw denied('no nonce');
  if (channelHeader.channelId === '' || channelHeader.epoch !== 0n) throw denied('channel header');
  switch (role) {
    case 'relay':
      if (channelHeader.type !== headerTypes.endorserTransaction) throw denied('header type');
      if (channelHeader.txId !== transactionId(nonce, creator)) throw denied('transaction id');
      return checkTransaction(data, header.signatureHeader);
    case 'ordering':
      if (!channels.has(channelHeader.channelId)) throw denied('channel');
      return checkConfiguration(channelHeader, data);
    case 'node':
    case 'attestation':
      throw fault('HSM_ROLE_DENIED', { role });
  }
}

/** What the configuration says is for whoever knows the one before; its form has to be known here. */
function checkConfiguration(header: ChannelHeader, data: Uint8Array): void {
  if (header.type !== headerTypes.config) throw denied('header type');
  if (header.txId !== '' || header.extension.length > 0) throw denied('channel header');
  try {
    checkConfigContent(header.channelId, data);
  } catch (cause) {
    if (!(cause instanceof Fault)) throw cause;
    throw fault('HSM_ENVELOPE_DENIED', { reason: 'configuration', ...cause.detail }, cause);
  }
}

function checkTransaction(data: Uint8Array, signatureHeader: Uint8Array): void {
  const { actions } = Transaction.decodeCanonical(data);
  const [action = TransactionAction.initial(), ...others] = actions;
  if (others.length > 0 || action.payload.length === 0) throw denied('actions');
  if (!equalBytes(action.header, signatureHeader)) throw denied('header of the action');
}

function denied(reason: string) {
  return fault('HSM_ENVELOPE_DENIED', { reason });
}
