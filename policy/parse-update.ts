import { Fault } from '#base';
import {
  ChannelHeader,
  ConfigUpdate,
  ConfigUpdateEnvelope,
  Payload,
  hasUnknownFields,
  headerTypes,
} from '#formats';
import type { Envelope, Header } from '#formats';
import { fault } from './faults.ts';

/** A configuration update as it came; nothing in it is checked yet. */
export interface ParsedUpdate {
  readonly header: Header;
  /** Of the envelope around it: the update itself names its channel too. */
  readonly channelId: string;
  readonly update: ConfigUpdate;
  readonly body: ConfigUpdateEnvelope;
}

/**
 * Reads an update.
 *
 * @param payload common.Payload of an envelope of type CONFIG_UPDATE.
 * @throws POLICY_UPDATE_MALFORMED, POLICY_UPDATE_FIELD_UNKNOWN
 */
export function parseUpdate({ payload }: Pick<Envelope, 'payload'>): ParsedUpdate {
  return asMalformed(() => {
    const { header, data } = Payload.decode(payload);
    if (header === undefined) throw malformed('no header');
    const { type, channelId } = ChannelHeader.decode(header.channelHeader);
    if (type !== headerTypes.configUpdate) throw malformed('header type');
    const body = ConfigUpdateEnvelope.decode(data);
    const update = ConfigUpdate.decode(body.configUpdate);
    // Go carries them over into the configuration, where its versions read them differently.
    if (hasUnknownFields(ConfigUpdate, body.configUpdate)) {
      throw fault('POLICY_UPDATE_FIELD_UNKNOWN');
    }
    return { header, channelId, update, body };
  });
}

/** Bytes of an update that cannot be read are the update's fault. @throws POLICY_UPDATE_MALFORMED */
export function asMalformed<Value>(read: () => Value): Value {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof Fault) || !cause.code.startsWith('FORMATS_')) throw cause;
    throw malformed(cause.code, cause);
  }
}

function malformed(reason: string, cause?: unknown): Error {
  return fault('POLICY_UPDATE_MALFORMED', { reason }, cause);
}
