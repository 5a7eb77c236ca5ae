import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { silentLog } from '#base';
import type { Log } from '#base';
import { Block } from '#formats';
import { buildPeer } from '#peer';
import { commitHashIn } from './stored-block.ts';

export interface OurPeerOptions {
  /** An empty or absent directory that becomes the peer's. */
  readonly dir: string;
  readonly genesis: Block;
  /** Nothing is logged without. */
  readonly log?: Log;
  /** Where it pulls blocks from; PEM of the authority. */
  readonly source: { readonly port: number; readonly root: string };
  readonly mspId: string;
  /** PEM. */
  readonly identity: { readonly cert: string; readonly key: string };
}

/** Starts a countersign peer in this process. @param t its teardown stops the peer. */
export async function startOurPeer(
  t: { teardown(end: () => unknown): unknown },
  { dir, genesis, log = silentLog, source, mspId, identity }: OurPeerOptions,
): Promise<OurPeer> {
  mkdirSync(dir, { recursive: true });
  const file = (name: string, content: string | Uint8Array): string => {
    writeFileSync(join(dir, name), content, { mode: 0o600 });
    return join(dir, name);
  };
  const config = {
    name: 'ours',
    ledgerDir: join(dir, 'ledger'),
    genesisFile: file('genesis.block', Block.encode(genesis)),
    deliver: { host: 'localhost', port: source.port, caFile: file('ca.pem', source.root) },
    identity: {
      mspid: mspId,
      certificateFile: file('cert.pem', identity.cert),
      keyFile: file('key.pem', identity.key),
    },
    http: { host: '127.0.0.1', port: 0 },
    logLevel: 'silent',
  };
  const peer = await buildPeer(config, { log, genesis });
  t.teardown(() => peer.close());
  return new OurPeer(peer.port);
}

/** A countersign peer seen through its HTTP service, answering what a stock peer answers. */
export class OurPeer {
  readonly name: string;
  readonly #origin: string;

  constructor(port: number, name = 'ours') {
    this.name = name;
    this.#origin = `http://127.0.0.1:${port}`;
  }

  async height(): Promise<bigint> {
    const { height } = (await (await this.#get('/v1/health')).json()) as { height: number };
    return BigInt(height);
  }

  /** common.Block bytes with the metadata that this peer added. */
  async block(number: bigint): Promise<Uint8Array> {
    const answer = await this.#get(`/v1/blocks/${number}?format=protobuf`);
    return new Uint8Array(await answer.arrayBuffer());
  }

  async commitHash(number: bigint): Promise<Uint8Array | undefined> {
    return commitHashIn(await this.block(number));
  }

  /** All committed blocks below the height. */
  async blocks(height: bigint): Promise<Uint8Array[]> {
    const blocks: Uint8Array[] = [];
    for (let number = 0n; number < height; number += 1n) blocks.push(await this.block(number));
    return blocks;
  }

  async #get(path: string): Promise<Response> {
    const answer = await fetch(this.#origin + path);
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return answer;
  }
}
