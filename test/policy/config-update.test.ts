import t from 'tap';
import { ConfigEnvelope } from '#formats';
import { acceptConfigUpdate, proposeConfigUpdate } from '#policy';
import { badResults } from './bad-results.ts';
import { badUpdates } from './bad-updates.ts';
import { goodUpdates } from './good-updates.ts';
import { stricterHere } from './stricter-updates.ts';
import { configAfter, updateEnvelope, zone } from './update-setting.ts';

const at = new Date('2026-06-01T00:00:00Z');
const party = { orderer: zone.orderer.serialized(zone.mspid), at };
const config = configAfter();

for (const [title, parts] of goodUpdates) {
  t.test(`a good update is taken: ${title}`, async (t) => {
    const envelope = updateEnvelope(config.config, parts);
    const { envelope: made, next } = acceptConfigUpdate(config, envelope, party);
    t.equal(next.sequence, 1n);
    t.strictSame(made.config, proposeConfigUpdate(config, envelope));
    t.strictSame(ConfigEnvelope.decode(ConfigEnvelope.encode(made)).config, made.config);
    t.strictSame(config.config, configAfter().config, 'the one before is as it was');
  });
}

for (const { code, title, parts, before } of [...badUpdates, ...badResults, ...stricterHere]) {
  t.test(`a bad update is refused: ${title}`, async (t) => {
    const current = before === undefined ? config : configAfter(before);
    // Made for a new channel: what the channel is by then may be another thing.
    const envelope = updateEnvelope(config.config, parts);
    t.throws(() => acceptConfigUpdate(current, envelope, party), { code });
  });
}
