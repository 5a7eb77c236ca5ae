import t from 'tap';
import { concatBytes, emptyBytes, utf8 } from '#base';
import { ConfigEnvelope, headerTypes } from '#formats';
import { checkEnvelope } from '../../hsm/check-envelope.ts';
import { configEnvelope, configPayload, configUpdateEnvelope } from './samples.ts';
import type { EnvelopeChanges, UpdateParts } from './samples.ts';

const identity = utf8('the identity');
const key = { role: 'ordering', identity, channels: new Set(['ch']) } as const;
const unknownField = Uint8Array.of(0x78, 1);

t.test('a configuration is signed in the form that is known here only', async (t) => {
  const check = (payload: Uint8Array) => checkEnvelope(key, payload);
  const good = configEnvelope();
  check(configPayload(identity, { data: ConfigEnvelope.encode(good) }));
  const { config, lastUpdate } = good;
  const data = (parts: Partial<ConfigEnvelope>) => ({
    data: ConfigEnvelope.encode({ ...good, ...parts }),
  });
  const update = (parts: UpdateParts) => data({ lastUpdate: configUpdateEnvelope(parts) });
  const hostile: readonly (readonly [why: string, changes: EnvelopeChanges])[] = [
    ['bytes', { data: utf8('config') }],
    ['no configuration', data({ config: undefined })],
    ['no groups', data({ config: { sequence: 1n, channelGroup: undefined } })],
    ['a first configuration', data({ config: { ...config!, sequence: 0n } })],
    ['no update', data({ lastUpdate: undefined })],
    ['an unsigned envelope', data({ lastUpdate: { ...lastUpdate!, signature: emptyBytes } })],
    ['an update that nobody signed', update({ signatures: [] })],
    ['an update of another channel', update({ update: { channelId: 'other' } })],
    ['an update that writes nothing', update({ update: { writeSet: undefined } })],
    ['an update for another channel', update({ header: { channelId: 'other' } })],
    ['an update of another type', update({ header: { type: headerTypes.config } })],
    ['another channel', { channelHeader: { channelId: 'other' } }],
    ['a transaction id', { channelHeader: { txId: 'ab' } }],
    ['an unknown field', { data: concatBytes(ConfigEnvelope.encode(good), unknownField) }],
  ];
  for (const [why, changes] of hostile) {
    t.throws(() => check(configPayload(identity, changes)), { code: 'HSM_ENVELOPE_DENIED' }, why);
  }
});
