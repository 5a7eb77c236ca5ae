import { broadcast as broadcastIn, identitySigner as signerIn } from '#cli';
import { systemClock } from '#base';
import { ConfigUpdate } from '#formats';
import type { BroadcastResponse, Config, ConfigGroup } from '#formats';
import { editedGroup, signedEnvelope, signedUpdate, updateBetween } from './config-update.ts';
import type { UpdateSigner } from './config-update.ts';
import type { TestNetwork } from './test-network.ts';

export { configIn, pemSigner } from '#cli';

/** An identity that a network made, for example admin@org1. */
export function identitySigner(
  { network }: TestNetwork,
  mspid: string,
  name: string,
): UpdateSigner {
  return signerIn(network, mspid, name);
}

/** common.Envelope of an update, signed by all; the first of them sends it. */
export function channelUpdate(
  channel: string,
  current: Config,
  edit: (group: ConfigGroup) => void,
  signers: readonly [UpdateSigner, ...UpdateSigner[]],
): Uint8Array {
  const update = updateBetween(channel, current, editedGroup(current, edit));
  return signedEnvelope(signedUpdate(ConfigUpdate.encode(update), signers), {
    channelId: channel,
    sender: signers[0],
    timeSeconds: BigInt(Math.floor(systemClock.nowMs() / 1_000)),
  });
}

/** Posts an envelope to the ordering service of a network. */
export function broadcast(
  { network }: TestNetwork,
  envelope: Uint8Array,
): Promise<BroadcastResponse> {
  return broadcastIn(network, envelope);
}
