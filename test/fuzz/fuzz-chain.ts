import { Fault, silentLog } from '#base';
import { ConfigEnvelope, Envelope, Payload, dataHash } from '#formats';
import type { Block, TransactionVerdict } from '#formats';
import { openLedger } from '#ledger';
import type { CommittedBlock, Ledger } from '#ledger';
import { ConfigMemo, createValidator } from '#policy';
import type { ChannelConfig } from '#policy';
import type { TestNetwork } from '../policy/test-channel.ts';
import { TestChain } from '../support/test-chain.ts';
import { BlockFilter } from './block-filter.ts';
import { configEnvelopeOf } from './config-steps.ts';
import { envelopeOf } from './fuzz-envelope.ts';
import type { People } from './people.ts';
import type { BlockRecipe, TransactionRecipe } from './recipe.ts';
import { contentOf } from './rwset-of-recipe.ts';

/** A transaction that came into a block, and what our own validation says of it. */
export interface BuiltTransaction {
  /** Undefined for a configuration, and for one that only leads the block. */
  readonly recipe: TransactionRecipe | undefined;
  readonly envelope: Uint8Array;
}

export interface BuiltBlock {
  readonly block: Block;
  readonly transactions: readonly BuiltTransaction[];
  /** Our codes and commit hash. */
  readonly committed: CommittedBlock;
}

/**
 * A channel whose blocks are built from recipes. Each is committed to a ledger of ours as soon as it
 * is built, because the next one refers to the state that it leaves.
 */
export class FuzzChain implements AsyncDisposable {
  readonly channelId: string;
  readonly #people: People;
  readonly #chain: TestChain;
  readonly #ledger: Ledger;
  readonly #config: () => ChannelConfig;
  readonly #filter: BlockFilter;
  /** By nonce, for those that come again. */
  readonly #envelopes = new Map<number, Uint8Array>();
  #leaders = 0;
  #lastConfigIndex = 0n;

  private constructor(people: People, chain: TestChain, ledger: Ledger) {
    this.#people = people;
    this.#chain = chain;
    this.#ledger = ledger;
    this.channelId = chain.network.spec.channelId;
    const memo = new ConfigMemo();
    this.#config = () => memo.of(ledger.configBlock);
    this.#filter = new BlockFilter(this.#config, ledger);
  }

  /** @param dir an absent or empty directory that becomes the ledger's. */
  static async open(people: People, spec: TestNetwork['spec'], dir: string): Promise<FuzzChain> {
    const chain = new TestChain({ zone: people.zone, orgs: people.orgs, spec });
    chain.blocks[0] = withConfig(chain.genesis, people, spec);
    const memo = new ConfigMemo();
    const validate = createValidator();
    const ledger = await openLedger({
      dir,
      log: silentLog,
      validate: (block, lookups, configBlock): TransactionVerdict[] =>
        validate(block, memo.of(configBlock), lookups),
    });
    await ledger.init(chain.genesis);
    return new FuzzChain(people, chain, ledger);
  }

  get genesis(): Block {
    return this.#chain.genesis;
  }

  get height(): bigint {
    return this.#chain.height;
  }

  /** The next block, of what may come into one, and led by a plain transaction if it must be. */
  async append(recipe: BlockRecipe): Promise<BuiltBlock> {
    const config = recipe.config && configEnvelopeOf(recipe.config, this.#config(), this.#people);
    if (config !== undefined) return this.#commit([{ recipe: undefined, envelope: config }], true);
    const made = recipe.transactions.flatMap((one): BuiltTransaction[] => {
      const envelope = this.#envelope(one);
      return envelope === undefined ? [] : [{ recipe: one, envelope }];
    });
    const fit = this.#filter.fitFor(made);
    // Stock peers before 3.0 refuse a block whole when its first transaction is of another channel.
    const mayLead = fit[0] !== undefined && this.#filter.mayLead(fit[0].envelope);
    return this.#commit(mayLead ? fit : [this.#leader(), ...fit]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#ledger[Symbol.asyncDispose]();
  }

  async #commit(transactions: readonly BuiltTransaction[], isConfig = false): Promise<BuiltBlock> {
    const kept = this.#isCommittable(transactions) ? transactions : this.#committable(transactions);
    const data = kept.map(({ envelope }) => envelope);
    if (isConfig) this.#lastConfigIndex = this.height;
    const block = this.#chain.make([], {
      data,
      header: { dataHash: dataHash(data) },
      lastConfigIndex: this.#lastConfigIndex,
    });
    await this.#ledger.propose({ header: block.header!, data });
    const committed = await this.#ledger.seal(block.metadata!.metadata);
    this.#chain.blocks.push(block);
    return { block, transactions: kept, committed };
  }

  /** Without those at which a stock peer would stop, as the ledger has it. */
  #committable(transactions: readonly BuiltTransaction[]): BuiltTransaction[] {
    const kept: BuiltTransaction[] = [];
    for (const one of transactions) {
      if (this.#isCommittable([...kept, one])) kept.push(one);
    }
    if (kept.length === 0) kept.push(this.#leader());
    this.#isCommittable(kept);
    return kept;
  }

  #isCommittable(transactions: readonly BuiltTransaction[]): boolean {
    try {
      this.#ledger.assess(transactions.map(({ envelope }) => envelope));
      return true;
    } catch (error) {
      if (error instanceof Fault) return false;
      throw error;
    }
  }

  #envelope(recipe: TransactionRecipe): Uint8Array | undefined {
    const { nonce, again = false } = recipe;
    if (again) return this.#envelopes.get(nonce);
    const content = contentOf(recipe, this.#ledger, this.#people);
    const { channelId } = this;
    const envelope = envelopeOf(recipe, content, { people: this.#people, channelId });
    if (!this.#envelopes.has(nonce)) this.#envelopes.set(nonce, envelope);
    return envelope;
  }

  #leader(): BuiltTransaction {
    this.#leaders += 1;
    const plain = {
      nonce: -this.#leaders,
      creator: 'zone.client',
      endorsers: [],
      contract: 'notary',
      namespaces: [],
      mutations: [],
    };
    const { channelId } = this;
    const envelope = envelopeOf(plain, [], { people: this.#people, channelId });
    return { recipe: undefined, envelope };
  }
}

/** The genesis block with the providers of the people, in place of those that a specification makes. */
function withConfig(genesis: Block, people: People, spec: TestNetwork['spec']): Block {
  const envelope = Envelope.decode(genesis.data!.data[0]!);
  const payload = Payload.decode(envelope.payload);
  const config = ConfigEnvelope.encode({ config: people.configOf(spec) });
  const changed = Payload.encode({ ...payload, data: config });
  const data = [Envelope.encode({ ...envelope, payload: changed })];
  return {
    ...genesis,
    header: { ...genesis.header!, dataHash: dataHash(data) },
    data: { data },
  };
}
