import { setTimeout as sleep } from 'node:timers/promises';
import type { ClientProfile } from '../../interop/client-profile.ts';
import { OurPeer } from '../../interop/our-peer.ts';
import { sdkClient } from '../../interop/sdk-client.ts';
import { answerQuestions, sharedNowMs } from './remote-part.ts';

/** A stock peer, by its block events; or one of ours, by its height. */
export type ObserverStart = { profile: ClientProfile } | { peerPort: number };

const pollMs = 1;
const waitMsMax = 30_000;

/** Runs beside a peer: tells when it had committed a block. */
answerQuestions(async (given) => {
  const start = given as ObserverStart;
  const seen = new Map<number, number>();
  const see = (block: number) => {
    if (!seen.has(block)) seen.set(block, sharedNowMs());
  };
  void ('profile' in start ? watchEvents(start.profile, see) : watchHeight(start.peerPort, see));
  return async (asked) => {
    const { block } = asked as { block: number };
    const deadlineMs = sharedNowMs() + waitMsMax;
    while (!seen.has(block)) {
      if (sharedNowMs() > deadlineMs) throw new Error(`block ${block} did not come`);
      await sleep(pollMs);
    }
    return seen.get(block);
  };
});

async function watchEvents(profile: ClientProfile, see: (block: number) => void): Promise<void> {
  const { gateway } = sdkClient(profile);
  const network = gateway.getNetwork(profile.channel);
  const blocks = await network.getFilteredBlockEvents({ startBlock: 0n });
  for await (const block of blocks) see(block.getNumber());
}

async function watchHeight(port: number, see: (block: number) => void): Promise<void> {
  const peer = new OurPeer(port);
  for (let block = 0; ; await sleep(pollMs)) {
    const height = Number(await peer.height());
    for (; block < height; block += 1) see(block);
  }
}
