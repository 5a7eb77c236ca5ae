import { emptyBytes, utf8 } from '#base';
import { Block, blockMetadata, dataHash, headerHash, signaturesValue } from '#formats';

/** Blocks in memory, with what a session for peers asks of a ledger. */
export class BlockStore {
  readonly #blocks: Uint8Array[] = [];
  #last: Uint8Array = emptyBytes;
  #waiting: (() => void)[] = [];
  /** How often a block was read. */
  reads = 0;

  constructor(genesis: Block) {
    this.#store(genesis);
  }

  get height(): bigint {
    return BigInt(this.#blocks.length);
  }

  rawBlock(number: bigint): Uint8Array | undefined {
    this.reads += 1;
    return this.#blocks[Number(number)];
  }

  waitForHeight(height: bigint, signal: AbortSignal): Promise<void> {
    if (this.height >= height) return Promise.resolve();
    return new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
      this.#waiting.push(() => {
        if (this.height >= height) resolve();
      });
    });
  }

  /** Appends a block of one transaction, with what its committer fills in. */
  append(bytes = 100): Block {
    const number = this.height;
    const data = [utf8('x'.repeat(bytes))];
    const facts = { lastConfigIndex: 0n };
    const metadata = blockMetadata(facts, signaturesValue(facts), []);
    metadata[2] = Uint8Array.of(0);
    metadata[4] = utf8('commit hash');
    const block = {
      header: { number, previousHash: this.#last, dataHash: dataHash(data) },
      data: { data },
      metadata: { metadata },
    };
    this.#store(block);
    for (const look of this.#waiting) look();
    return block;
  }

  #store(block: Block): void {
    this.#blocks.push(Block.encode(block));
    if (block.header !== undefined) this.#last = headerHash(block.header);
  }
}
