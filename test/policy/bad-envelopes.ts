import { emptyBytes, utf8 } from '#base';
import { ConfigUpdateEnvelope, Envelope, Payload, headerTypes } from '#formats';
import type { ConfigGroup } from '#formats';
import { setBatchSize } from './good-updates.ts';
import { groupAt, signaturePolicy } from './test-channel.ts';
import { adminOf, org1, org4, signerOf } from './update-setting.ts';
import type { UpdateParts } from './update-setting.ts';

export type BadUpdateRow = readonly [
  /** Without POLICY_ in front. */
  code: string,
  title: string,
  parts: UpdateParts,
  /** The configuration that it is for, where that of a new channel does not do. */
  before?: (channel: ConfigGroup) => void,
];

export const garbage = utf8('\u0007garbage');
export const sevenMessages = setBatchSize({ maxMessageCount: 7 });
const expired = await org1.ca.issue('expired', {
  units: ['admin'],
  notAfter: new Date('2025-01-01T00:00:00Z'),
});
export const withBody =
  (change: (body: ConfigUpdateEnvelope) => void) =>
  (bytes: Uint8Array): Uint8Array => {
    const body = ConfigUpdateEnvelope.decode(bytes);
    change(body);
    return ConfigUpdateEnvelope.encode(body);
  };

const resigned =
  (change: (payload: Payload) => void) =>
  (bytes: Uint8Array): Uint8Array => {
    const parts = Payload.decode(Envelope.decode(bytes).payload);
    change(parts);
    const payload = Payload.encode(parts);
    return Envelope.encode({ payload, signature: adminOf(org1).sign(payload) });
  };

/** Updates that are refused for what is around them. */
export const badEnvelopes: readonly BadUpdateRow[] = [
  ['UPDATE_MALFORMED', 'no envelope', { envelope: () => garbage }],
  ['UPDATE_MALFORMED', 'nothing', { envelope: () => emptyBytes }],
  [
    'UPDATE_MALFORMED',
    'no payload',
    { envelope: () => Envelope.encode({ payload: garbage, signature: garbage }) },
  ],
  [
    'UPDATE_MALFORMED',
    'no header',
    { envelope: resigned((payload) => (payload.header = undefined)) },
  ],
  [
    'UPDATE_MALFORMED',
    'a header that cannot be read',
    { envelope: resigned((payload) => (payload.header!.channelHeader = garbage)) },
  ],
  [
    'UPDATE_MALFORMED',
    'a sender that cannot be read',
    {
      edit: sevenMessages,
      envelope: resigned((payload) => (payload.header!.signatureHeader = garbage)),
    },
  ],
  [
    'UPDATE_MALFORMED',
    'another type',
    { edit: sevenMessages, outside: { type: headerTypes.endorserTransaction } },
  ],
  ['UPDATE_MALFORMED', 'data that cannot be read', { data: () => garbage }],
  ['UPDATE_MALFORMED', 'an update that cannot be read', { updateBytes: () => garbage }],
  [
    'UPDATE_MALFORMED',
    'a signature by somebody who cannot be read',
    {
      edit: sevenMessages,
      data: withBody((body) => (body.signatures[0]!.signatureHeader = garbage)),
    },
  ],
  [
    'UPDATE_CHANNEL_OTHER',
    'an update of another channel',
    { edit: sevenMessages, update: (update) => (update.channelId = 'other') },
  ],
  [
    'UPDATE_CHANNEL_OTHER',
    'an envelope for another channel',
    { edit: sevenMessages, outside: { channelId: 'other' } },
  ],
  [
    'ENVELOPE_TOO_LARGE',
    'more bytes than a batch may have',
    { edit: sevenMessages },
    setBatchSize({ preferredMaxBytes: 512, absoluteMaxBytes: 2_000 }),
  ],
  [
    'UPDATE_SENDER_EXPIRED',
    'a sender whose certificate has expired',
    { edit: sevenMessages, outside: { sender: signerOf(org1, expired) } },
  ],
  [
    'UPDATE_SENDER_DENIED',
    'a sender that may only endorse',
    { edit: sevenMessages, outside: { sender: signerOf(org1, org1.peer) } },
  ],
  [
    'UPDATE_SENDER_DENIED',
    'a sender of an organisation that is not on the channel',
    { edit: sevenMessages, outside: { sender: adminOf(org4) } },
  ],
  [
    'UPDATE_SENDER_DENIED',
    'an envelope with another signature',
    {
      edit: sevenMessages,
      envelope: (bytes) =>
        Envelope.encode({ ...Envelope.decode(bytes), signature: adminOf(org1).sign(garbage) }),
    },
  ],
  [
    'UPDATE_ORDERER_DENIED',
    'an orderer that may not write',
    { edit: sevenMessages },
    (channel) =>
      void (groupAt(channel, 'Orderer/Zone').policies.get('Writers')!.policy =
        signaturePolicy("OR('ZoneMSP.admin')")),
  ],
];
