import { utf8 } from '#base';
import { ChannelHeader, Config, Envelope, Payload, SignatureHeader, headerTypes } from '#formats';
import type { ConfigGroup } from '#formats';
import { signUpdate } from '#policy';
import type { UpdateSigner } from '#policy';

export { editedGroup, updateBetween } from '#policy';
export type { UpdateSigner } from '#policy';

export interface EnvelopeParts {
  /** In the channel header. */
  channelId: string;
  type?: number;
  sender: UpdateSigner;
  timeSeconds?: bigint;
}

/** As `signUpdate`, with nonces that are always the same. */
export function signedUpdate(update: Uint8Array, signers: readonly UpdateSigner[]): Uint8Array {
  let count = 0;
  return signUpdate(update, signers, () => utf8(`nonce of signature ${count++}`));
}

/** common.Envelope bytes around the data, signed by its sender; of any type and time. */
export function signedEnvelope(data: Uint8Array, parts: EnvelopeParts): Uint8Array {
  const { channelId, sender, type = headerTypes.configUpdate, timeSeconds = 0n } = parts;
  const payload = Payload.encode({
    header: {
      channelHeader: ChannelHeader.encode({
        type,
        channelId,
        timestamp: { seconds: timeSeconds, nanos: 0 },
      }),
      signatureHeader: SignatureHeader.encode({
        creator: sender.serialized,
        nonce: utf8('nonce of the sender'),
      }),
    },
    data,
  });
  return Envelope.encode({ payload, signature: sender.sign(payload) });
}

/** The configuration in one form, whatever the order of its maps. */
export function sortedConfig({ sequence, channelGroup }: Config): Uint8Array {
  return Config.encode({ sequence, channelGroup: channelGroup && sortedGroup(channelGroup) });
}

function sortedGroup(group: ConfigGroup): ConfigGroup {
  const sorted = <Item>(items: Map<string, Item>, to = (item: Item) => item) =>
    new Map(
      [...items].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([name, item]) => [name, to(item)]),
    );
  return {
    ...group,
    groups: sorted(group.groups, sortedGroup),
    values: sorted(group.values),
    policies: sorted(group.policies),
  };
}
