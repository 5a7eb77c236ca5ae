import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { toHex, utf8 } from '#base';
import { sha256 } from '#crypto';
import { Block } from '#formats';
import { freeLoopbackPorts } from '../interop/loopback-ports.ts';
import type { FabricVersion } from '../interop/versions.ts';
import { makeTlsPair } from '../manager/channel.ts';
import { specOf } from '../policy/test-channel.ts';
import { DeliverServer } from '../support/deliver-server.ts';
import { FuzzChain } from './fuzz-chain.ts';
import type { BuiltBlock } from './fuzz-chain.ts';
import type { Judge } from './judge.ts';
import { OurJudge, StockJudge } from './judges.ts';
import type { TlsPair } from './judges.ts';
import { Owner } from './owner.ts';
import { People } from './people.ts';
import type { BlockRecipe } from './recipe.ts';

/** A channel that peers can join. */
export interface FuzzChannel {
  readonly channelId: string;
  readonly genesis: Block;
  readonly genesisFile: string;
  /** Where its blocks come from. */
  readonly port: number;
  append(recipe: BlockRecipe): Promise<BuiltBlock>;
}

/** A source of blocks with peers of all versions, for one channel after the other. */
export class FuzzNetwork implements AsyncDisposable {
  readonly people: People;
  /** Ours first. */
  readonly judges: readonly Judge[];
  readonly #owner = new Owner();
  readonly #dir: string;
  readonly #server: DeliverServer;
  readonly #tls: TlsPair;
  readonly #served: Map<string, Block[]>;
  #channels = 0;

  private constructor(parts: {
    people: People;
    versions: readonly FabricVersion[];
    dir: string;
    port: number;
    tls: TlsPair;
  }) {
    const { people, versions, dir, port, tls } = parts;
    const [first, second] = people.orgs;
    const served = new Map<string, Block[]>();
    const stock = versions.map(
      (version) => new StockJudge(version, first!, tls, join(dir, version.name)),
    );
    for (const judge of stock) this.#owner.teardown(() => judge.stop());
    this.people = people;
    this.judges = [new OurJudge(second!, tls, join(dir, 'ours')), ...stock];
    this.#dir = dir;
    this.#tls = tls;
    this.#served = served;
    this.#server = new DeliverServer({ tls, blocks: (channel) => served.get(channel) ?? [] });
    // Genesis blocks name it.
    this.#server.port = port;
  }

  /** @param dir an empty directory that becomes the network's. */
  static async start(dir: string, versions: readonly FabricVersion[]): Promise<FuzzNetwork> {
    const [port = 0] = await freeLoopbackPorts(1);
    const people = await People.meet();
    const network = new FuzzNetwork({ people, versions, dir, port, tls: await makeTlsPair() });
    await network.#server.start();
    network.#owner.teardown(() => network.#server[Symbol.asyncDispose]());
    return network;
  }

  /** @param owner its teardown closes what is kept of the channel here. */
  async open(owner: Owner): Promise<FuzzChannel> {
    this.#channels += 1;
    // A transaction of another channel that the peer has joined, too, is not of another channel to it.
    const channelId = `fuzz-${toHex(sha256(utf8(String(this.#channels)))).slice(0, 12)}`;
    const dir = join(this.#dir, channelId);
    mkdirSync(dir, { recursive: true });
    const { port } = this.#server;
    const tlsRootCertificates = [this.#tls.root];
    const plain = specOf(this.people.zone, this.people.orgs);
    const spec = {
      ...plain,
      channelId,
      zone: { ...plain.zone, tlsRootCertificates, endpoints: [`127.0.0.1:${port}`] },
      organizations: plain.organizations.map((one) => ({ ...one, tlsRootCertificates })),
    };
    const chain = await FuzzChain.open(this.people, spec, join(dir, 'ledger'));
    owner.teardown(() => chain[Symbol.asyncDispose]());
    const { genesis } = chain;
    const genesisFile = join(dir, 'genesis.block');
    writeFileSync(genesisFile, Block.encode(genesis));
    const blocks = [genesis];
    this.#served.set(channelId, blocks);
    const append = async (recipe: BlockRecipe) => {
      const built = await chain.append(recipe);
      blocks.push(built.block);
      this.#server.announce();
      return built;
    };
    return { channelId, genesis, genesisFile, port, append };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owner[Symbol.asyncDispose]();
  }
}
