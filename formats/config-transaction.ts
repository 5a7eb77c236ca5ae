import { Fault } from '#base';
import { ConfigEnvelope, ConfigUpdate, ConfigUpdateEnvelope } from './fabric-config.ts';
import { ChannelHeader, Payload, SignatureHeader, headerTypes } from './fabric-common.ts';
import { fault } from './faults.ts';
import { buildChannelHeader } from './transaction.ts';

export interface ConfigPayloadSpec {
  channel: string;
  /** msp.SerializedIdentity of the ordering node. */
  creator: Uint8Array;
  nonce: Uint8Array;
  /** Milliseconds since the Unix epoch. */
  timeMs: number;
  /** The next configuration and the update that leads to it. */
  envelope: ConfigEnvelope;
}

/** common.Payload of a configuration transaction, which has no transaction id, as in Fabric. */
export function buildConfigPayload(spec: ConfigPayloadSpec): Uint8Array {
  const { channel, creator, nonce, timeMs, envelope } = spec;
  const channelHeader = buildChannelHeader({ type: headerTypes.config, channel, timeMs, txId: '' });
  const signatureHeader = SignatureHeader.encode({ creator, nonce });
  const header = { channelHeader, signatureHeader };
  return Payload.encode({ header, data: ConfigEnvelope.encode(envelope) });
}

/**
 * Holds the content of a configuration transaction to the one form it has: a configuration after the
 * first, and the update of this channel that is said to lead to it. Whether it does, and whether
 * anybody allowed it, is for those to say who know the configuration before.
 *
 * @param data common.ConfigEnvelope.
 * @throws FORMATS_CONFIG_MALFORMED
 */
export function checkConfigContent(channel: string, data: Uint8Array): void {
  try {
    const { config, lastUpdate } = ConfigEnvelope.decodeCanonical(data);
    if (config?.channelGroup === undefined || config.sequence === 0n) {
      throw malformed('configuration');
    }
    if (lastUpdate === undefined || lastUpdate.signature.length === 0) throw malformed('update');
    checkUpdate(channel, lastUpdate.payload);
  } catch (cause) {
    if (!(cause instanceof Fault) || cause.code === 'FORMATS_CONFIG_MALFORMED') throw cause;
    throw malformed(cause.code, cause);
  }
}

function checkUpdate(channel: string, payload: Uint8Array): void {
  const { header, data } = Payload.decode(payload);
  if (header === undefined) throw malformed('header of the update');
  const { type, channelId } = ChannelHeader.decode(header.channelHeader);
  if (type !== headerTypes.configUpdate || channelId !== channel) throw malformed('update');
  const { configUpdate, signatures } = ConfigUpdateEnvelope.decode(data);
  if (signatures.length === 0) throw malformed('unsigned update');
  const update = ConfigUpdate.decode(configUpdate);
  if (update.channelId !== channel || update.writeSet === undefined) throw malformed('update');
}

function malformed(reason: string, cause?: unknown): Fault {
  return fault('FORMATS_CONFIG_MALFORMED', { reason }, cause);
}
