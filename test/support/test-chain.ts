/** Chains of real blocks: real signatures by keys in memory, real hashes, real evidence roots. */
import { emptyBytes } from '#base';
import {
  EvidenceLeaf,
  RequestResult,
  SignatureHeader,
  blockMetadata,
  blockSignatureInput,
  bundleOf,
  dataHash,
  encodeReceipt,
  evidenceLeaves,
  headerHash,
  isConfigBlock,
  parseRequest,
  parseTransaction,
  signaturesValue,
  validationCodes,
} from '#formats';
import type { Block, BlockHeader, Receipt, ValidationCode } from '#formats';
import { ChannelConfig, buildGenesisBlock } from '#policy';
import { testNetwork } from '../policy/test-channel.ts';
import type { TestNetwork } from '../policy/test-channel.ts';
import type { TestIdentity } from '../policy/test-ca.ts';
import { naivePath, naiveRoot } from './naive-merkle.ts';
import type { TestTransaction } from './test-transactions.ts';

/** What a hostile maker of blocks would change; everything else follows from it. */
export interface BlockChanges {
  header?: Partial<BlockHeader>;
  /** Signs it, in place of the zone's ordering identity. */
  signer?: { mspid: string; identity: TestIdentity };
  /** The newest configuration block, in place of the first. */
  lastConfigIndex?: bigint;
  evidence?: { treeSize: bigint; rootHash: Uint8Array } | 'none';
  /** Envelopes in place of those that the header's data hash is over. */
  data?: Uint8Array[];
  metadata?: (made: Uint8Array[]) => Uint8Array[];
}

/** A channel with its blocks so far; the codes that its transactions must get are kept beside. */
export class TestChain {
  readonly network: TestNetwork;
  readonly blocks: Block[];
  /** Per block, per transaction. */
  readonly codes: ValidationCode[][] = [[validationCodes.VALID]];
  /** countersign.EvidenceLeaf bytes of all requests so far. */
  readonly leaves: Uint8Array[] = [];

  constructor(network: TestNetwork) {
    this.network = network;
    this.blocks = [buildGenesisBlock(network.spec)];
  }

  static async create(organisations = 2): Promise<TestChain> {
    return new TestChain(await testNetwork(organisations));
  }

  get genesis(): Block {
    return this.blocks[0] as Block;
  }

  get config(): ChannelConfig {
    return ChannelConfig.fromBlock(this.genesis);
  }

  get height(): bigint {
    return BigInt(this.blocks.length);
  }

  get newest(): Block {
    return this.blocks[this.blocks.length - 1] as Block;
  }

  get lastHeaderHash(): Uint8Array {
    return headerHash(this.newest.header as BlockHeader);
  }

  /** The next block, not appended. */
  make(transactions: readonly TestTransaction[], changes: BlockChanges = {}): Block {
    const data = transactions.map(({ envelope }) => envelope);
    const header: BlockHeader = {
      number: this.height,
      previousHash: this.lastHeaderHash,
      dataHash: dataHash(data),
      ...changes.header,
    };
    const leaves = [...this.leaves, ...leavesOf(transactions, this.height)];
    const evidence = { treeSize: BigInt(leaves.length), rootHash: naiveRoot(leaves) };
    const stated = changes.evidence ?? evidence;
    const facts = {
      lastConfigIndex:
        changes.lastConfigIndex ?? this.#lastConfigIndex(header.number, changes.data ?? data),
      ...(stated === 'none' ? {} : { consenterMetadata: stated }),
    };
    const metadata = this.#sign(header, signaturesValue(facts), facts, changes.signer);
    return {
      header,
      data: { data: changes.data ?? data },
      metadata: { metadata: changes.metadata?.(metadata) ?? metadata },
    };
  }

  append(...transactions: TestTransaction[]): Block {
    const block = this.make(transactions);
    this.leaves.push(...leavesOf(transactions, this.height));
    this.blocks.push(block);
    this.codes.push(transactions.map(({ code }) => code));
    return block;
  }

  /** The receipt of a request in the chain, against the log as its newest block has it. */
  receipt(requestId: Uint8Array): Receipt {
    const found = this.#find(requestId);
    const block = this.newest;
    return {
      ...found,
      channel: this.config.channelId,
      leaf: EvidenceLeaf.decode(this.leaves[found.index]!),
      leafIndex: BigInt(found.index),
      treeSize: BigInt(this.leaves.length),
      inclusionProof: naivePath(found.index, this.leaves),
      block: block.header!,
      signatures: block.metadata!.metadata[0]!,
      certificates: [],
    };
  }

  receiptFile(requestId: Uint8Array): string {
    return encodeReceipt(this.receipt(requestId));
  }

  #find(requestId: Uint8Array): { request: string; result: Uint8Array; index: number } {
    let index = 0;
    for (const envelope of this.blocks.flatMap((block) => block.data!.data)) {
      const bundle = bundleOf(parseTransaction(envelope));
      for (const [at, jws] of (bundle?.requests ?? []).entries()) {
        const { requestIdBytes } = parseRequest(jws);
        const request = Buffer.from(jws).toString('latin1');
        const result = RequestResult.encode(bundle!.results[at]!);
        if (Buffer.compare(requestIdBytes, requestId) === 0) return { request, result, index };
        index += 1;
      }
    }
    throw new Error('no such request in the chain');
  }

  /** Of a block of this number with these envelopes: its own where it is a configuration. */
  #lastConfigIndex(number: bigint, data: Uint8Array[]): bigint {
    if (isConfigBlock({ header: undefined, data: { data }, metadata: undefined })) return number;
    const last = this.blocks.findLast(isConfigBlock);
    return last?.header?.number ?? 0n;
  }

  #sign(
    header: BlockHeader,
    value: Uint8Array,
    facts: Parameters<typeof blockMetadata>[0],
    signer = { mspid: this.network.zone.mspid, identity: this.network.zone.orderer },
  ): Uint8Array[] {
    const creator = signer.identity.serialized(signer.mspid);
    const nonce = new Uint8Array(24).fill(Number(header.number % 251n));
    const signatureHeader = SignatureHeader.encode({ creator, nonce });
    const signature = signer.identity.sign(blockSignatureInput(value, signatureHeader, header));
    const signatures = [{ signatureHeader, signature, identifierHeader: emptyBytes }];
    return blockMetadata(facts, value, signatures);
  }
}

function leavesOf(transactions: readonly TestTransaction[], blockNumber: bigint): Uint8Array[] {
  return transactions.flatMap(({ envelope, txId, code }) => {
    const bundle = bundleOf(parseTransaction(envelope));
    return bundle === undefined ? [] : evidenceLeaves(bundle, { blockNumber, txId, code });
  });
}
