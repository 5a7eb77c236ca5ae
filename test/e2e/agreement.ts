import { setTimeout as wait } from 'node:timers/promises';
import type { Test } from 'tap';
import { PeerClient } from '#cli';
import type { TestNetwork } from '../support/test-network.ts';
import type { BlockView } from './answers.ts';

const pollMs = 50;
const waitMsMax = 60_000;

interface PeerBlock {
  headerHash: string;
  commitHash: string;
  transactions: { txId: string; validationCode: { name: string } }[];
}

/** Waits until every peer has reached the manager's height, and holds their ledgers against its. */
export async function peersAgree(t: Test, network: TestNetwork): Promise<void> {
  const blocks = await managerBlocks(network);
  for (const name of network.processes.names().filter((one) => one.startsWith('peer-'))) {
    const peer = PeerClient.open(network.network.layout, name);
    await reach(peer, blocks.length);
    for (const block of blocks.slice(1)) {
      const own = (await peer.get(`/v1/blocks/${block.number}`)) as PeerBlock;
      const { headerHash, commitHash, number } = block;
      t.same(
        {
          headerHash: own.headerHash,
          commitHash: own.commitHash,
          codes: own.transactions.map(({ validationCode }) => validationCode.name),
        },
        { headerHash, commitHash, codes: block.transactions.map((one) => one.validation) },
        `${name} has block ${number} and the state after it as the manager has`,
      );
    }
  }
}

/** All blocks of the manager's ledger. */
export async function managerBlocks(network: TestNetwork): Promise<BlockView[]> {
  const { height } = (await network.service.get('/v1/health')).body as { height: number };
  const blocks: BlockView[] = [];
  for (let number = 0; number < height; number += 1) {
    blocks.push((await network.service.get(`/v1/blocks/${number}`)).body as BlockView);
  }
  return blocks;
}

async function reach(peer: PeerClient, height: number): Promise<void> {
  for (let waitedMs = 0; waitedMs < waitMsMax; waitedMs += pollMs) {
    const health = (await peer.get('/v1/health')) as { height: number };
    if (health.height >= height) return;
    await wait(pollMs);
  }
  throw new Error(`a peer does not reach height ${height}`);
}
