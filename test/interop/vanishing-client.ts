/** `node vanishing-client.ts PROFILE.json COUNT`: waits for transactions that never come, and for events. */
import { readFileSync } from 'node:fs';
import { SerializedIdentity } from '#formats';
import type { ClientProfile } from './client-profile.ts';
import { statusOfNothing } from './refused-calls.ts';
import { sdkClient } from './sdk-client.ts';

const [profileFile = '', count = '0'] = process.argv.slice(2);
const profile = JSON.parse(readFileSync(profileFile, 'utf8')) as ClientProfile;
const { gateway } = sdkClient(profile);
const serialized = SerializedIdentity.encode({
  mspid: profile.mspid,
  idBytes: readFileSync(profile.certificateFile),
});
const network = gateway.getNetwork(profile.channel);
await Promise.all([
  take(network.getChaincodeEvents(profile.contract)),
  take(network.getBlockEvents()),
  ...Array.from({ length: Number(count) }, () =>
    statusOfNothing({ gateway, serialized }).getStatus(),
  ),
]);

async function take(opening: Promise<AsyncIterable<unknown>>): Promise<void> {
  for await (const item of await opening) process.stdout.write(`${String(item)}\n`);
}
