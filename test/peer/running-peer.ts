/** A peer in this process, with a source of blocks that a test commands. */
import { Agent, get } from 'node:http';
import { buildPeer } from '#peer';
import type { Peer, PeerConfig } from '#peer';
import { makeTlsPair } from '../manager/channel.ts';
import { DeliverServer } from '../support/deliver-server.ts';
import { LogLines } from '../support/log-lines.ts';
import { peerPlace } from '../support/peer-place.ts';
import type { PeerPlace } from '../support/peer-place.ts';
import type { TestChain } from '../support/test-chain.ts';

export const tls = await makeTlsPair();

interface TestScope {
  teardown(close: () => unknown): unknown;
}

export interface Scene {
  chain: TestChain;
  server: DeliverServer;
  place: PeerPlace;
}

/** A server with the chain's blocks and a place for a peer; nothing of the peer runs yet. */
export async function scene(t: TestScope, chain: TestChain): Promise<Scene> {
  const server = new DeliverServer({ tls, blocks: chain.blocks });
  await server.start();
  const place = peerPlace(chain, { port: server.port, root: tls.root });
  t.teardown(async () => {
    await server[Symbol.asyncDispose]();
    place[Symbol.dispose]();
  });
  return { chain, server, place };
}

export interface RunningPeer {
  peer: Peer;
  lines: LogLines;
  /** JSON of an answer, with its status. */
  ask: (path: string) => Promise<{ status: number; body: Record<string, unknown> }>;
  /** Resolves when the peer has committed the block. */
  committed: (number: number) => Promise<void>;
}

export async function runPeer(
  t: TestScope,
  { chain, place }: Scene,
  changes: Partial<PeerConfig> = {},
): Promise<RunningPeer> {
  const lines = new LogLines();
  const config = { ...place.config, ...changes };
  const peer = await buildPeer(config, { log: lines.log, genesis: chain.genesis });
  // A test that wants to hear of its end listens itself.
  peer.stopped.catch(() => {});
  t.teardown(() => peer.close());
  return {
    peer,
    lines,
    ask: (path) => ask(peer.port, path),
    committed: (number) => lines.waitFor({ msg: 'A block is committed.', block: number }),
  };
}

/** One call without a connection kept. */
export function ask(port: number, path: string) {
  return new Promise<{ status: number; body: Record<string, unknown> }>((resolve, reject) => {
    const agent = new Agent({ keepAlive: false });
    const call = get({ host: '127.0.0.1', port, path, agent }, (answer) => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (part: string) => (text += part));
      answer.on('end', () => {
        const body = JSON.parse(text) as Record<string, unknown>;
        resolve({ status: answer.statusCode ?? 0, body });
      });
    });
    call.on('error', reject);
  });
}
