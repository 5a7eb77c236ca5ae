import { LruMap, emptyBytes, fromHex, limits } from '#base';
import { Block, Metadata, bundleOf, metadataIndexes, parseTransaction } from '#formats';
import type { RequestResult, ValidationCode } from '#formats';
import type { BlockFiles } from './block-files.ts';
import { readBlockEntry, readBlockNumber } from './block-index.ts';
import type { BlockEntry } from './block-index.ts';
import { withLeaves } from './evaluate.ts';
import type { EvidencedBundle } from './evaluate.ts';
import type { EvidenceKeeper } from './evidence-keeper.ts';
import { isExecuted, readRequestEntry } from './request-index.ts';
import type { RequestEntry } from './request-index.ts';
import type { Store } from './store.ts';
import { transactionIdOf } from './transaction-id.ts';
import { readTransactionPlace } from './transaction-index.ts';
import type { TransactionPlace } from './transaction-index.ts';

export interface CommittedTransaction extends TransactionPlace {
  /** common.Envelope bytes. */
  envelope: Uint8Array;
}

export interface RequestPlace extends RequestEntry {
  txId: string;
}

/** What a receipt needs beside the block that holds its root. */
export interface ReceiptParts {
  place: RequestPlace;
  /** The compact JWS, and what became of it. */
  request: Uint8Array;
  result: RequestResult;
  /** countersign.EvidenceLeaf bytes. */
  leaf: Uint8Array;
  leafIndex: bigint;
  /** The block whose evidence log the proof is for. */
  treeBlockNumber: bigint;
  treeSize: bigint;
  root: Uint8Array;
  /** From the leaf's sibling up, 32 bytes each. */
  proof: Uint8Array[];
}

/** Looks committed blocks, transactions and requests up. */
export class LedgerReads {
  readonly #store: Store;
  readonly #files: BlockFiles;
  readonly #log: EvidenceKeeper;
  readonly #cache = new LruMap<bigint, Block>(limits.ledgerBlocksCachedMax);
  /** By block and then transaction: a bundle's receipts are asked for together. */
  readonly #bundles = new LruMap<bigint, (EvidencedBundle | undefined)[]>(
    limits.ledgerBlocksCachedMax,
  );
  readonly #sizes = new LruMap<bigint, bigint>(limits.ledgerBlocksCachedMax);
  readonly #txIds = new LruMap<string, string>(limits.transactionsPerBlockMax);

  constructor(store: Store, files: BlockFiles, log: EvidenceKeeper) {
    this.#store = store;
    this.#files = files;
    this.#log = log;
  }

  block(number: bigint): Block | undefined {
    const cached = this.#cache.get(number);
    if (cached !== undefined) return cached;
    const entry = this.#entry(number);
    if (entry === undefined) return undefined;
    const block = withVerdict(Block.decode(this.#bytesAt(entry)), entry);
    this.#cache.set(number, block);
    return block;
  }

  rawBlock(number: bigint): Uint8Array | undefined {
    const entry = this.#entry(number);
    return entry === undefined ? undefined : this.#bytesAt(entry);
  }

  blockByHash(headerHash: Uint8Array): Block | undefined {
    const number = readBlockNumber(this.#store, headerHash);
    return number === undefined ? undefined : this.block(number);
  }

  blockByTxId(txId: string): Block | undefined {
    const place = readTransactionPlace(this.#store, txId);
    return place && this.block(place.blockNumber);
  }

  hasTransaction(txId: string): boolean {
    return readTransactionPlace(this.#store, txId) !== undefined;
  }

  transaction(txId: string): CommittedTransaction | undefined {
    const place = readTransactionPlace(this.#store, txId);
    if (place === undefined) return undefined;
    return { ...place, envelope: this.#envelope(place.blockNumber, place.index) };
  }

  hasRequest(requestId: string): boolean {
    const entry = this.#request(requestId);
    return entry !== undefined && isExecuted(entry);
  }

  request(requestId: string): RequestPlace | undefined {
    const entry = this.#request(requestId);
    if (entry === undefined) return undefined;
    return { ...entry, txId: this.#txId(entry.blockNumber, entry.txIndex) };
  }

  receiptParts(requestId: string, atBlock?: bigint): ReceiptParts | undefined {
    const place = this.request(requestId);
    if (place === undefined) return undefined;
    const treeBlockNumber = atBlock ?? place.blockNumber;
    const treeSize = this.#evidenceSize(treeBlockNumber);
    if (treeSize === undefined || treeSize <= place.leafIndex) return undefined;
    const { leafIndex, requestIndex } = place;
    const bundle = this.#bundle(place);
    const request = bundle?.requests[requestIndex];
    const result = bundle?.results[requestIndex];
    const leaf = bundle?.leaves[requestIndex];
    if (!request || !result || !leaf) return undefined;
    const { root, proof } = this.#log.prove(leafIndex, treeSize);
    return { place, request, result, leaf, leafIndex, treeBlockNumber, treeSize, root, proof };
  }

  /** What was found out of a block when it was made: its receipts are asked for next. */
  remember(blockNumber: bigint, bundles: readonly (EvidencedBundle | undefined)[]): void {
    if (bundles.length > 0) this.#bundles.set(blockNumber, [...bundles]);
  }

  #evidenceSize(blockNumber: bigint): bigint | undefined {
    const known = this.#sizes.get(blockNumber);
    if (known !== undefined) return known;
    const size = this.#entry(blockNumber)?.evidenceSize;
    if (size !== undefined) this.#sizes.set(blockNumber, size);
    return size;
  }

  #bundle({ blockNumber, txIndex, code }: RequestEntry): EvidencedBundle | undefined {
    let ofBlock = this.#bundles.get(blockNumber);
    if (ofBlock === undefined) {
      ofBlock = [];
      this.#bundles.set(blockNumber, ofBlock);
    }
    const known = ofBlock[txIndex];
    if (known !== undefined) return known;
    const transaction = parseTransaction(this.#envelope(blockNumber, txIndex));
    const bundle = bundleOf(transaction);
    if (bundle === undefined) return undefined;
    ofBlock[txIndex] = withLeaves(transaction, bundle, blockNumber, code as ValidationCode);
    return ofBlock[txIndex];
  }

  #txId(blockNumber: bigint, txIndex: number): string {
    const name = `${blockNumber}/${txIndex}`;
    const known = this.#txIds.get(name);
    if (known !== undefined) return known;
    const txId = transactionIdOf(this.#envelope(blockNumber, txIndex));
    this.#txIds.set(name, txId);
    return txId;
  }

  #request(requestId: string): RequestEntry | undefined {
    const bytes = fromHex(requestId);
    return bytes?.length === 32 ? readRequestEntry(this.#store, bytes) : undefined;
  }

  #envelope(blockNumber: bigint, index: number): Uint8Array {
    return this.block(blockNumber)?.data?.data[index] ?? emptyBytes;
  }

  #entry(number: bigint): BlockEntry | undefined {
    return number < 0n || number >= 2n ** 64n ? undefined : readBlockEntry(this.#store, number);
  }

  /** Both frames' payloads joined are one common.Block message. */
  #bytesAt({ place, metadataPlace }: BlockEntry): Uint8Array {
    const { payload } = this.#files.read(place);
    if (metadataPlace === undefined) return payload;
    return new Uint8Array(Buffer.concat([payload, this.#files.read(metadataPlace).payload]));
  }
}

/** Fills in what a peer does: the codes, and from block 1 on the commit hash. */
export function withVerdict(
  block: Block,
  verdict: Pick<BlockEntry, 'codes' | 'commitHash'>,
): Block {
  const metadata = [...(block.metadata?.metadata ?? [])];
  while (metadata.length <= metadataIndexes.commitHash) metadata.push(emptyBytes);
  metadata[metadataIndexes.transactionsFilter] = verdict.codes;
  if (verdict.commitHash.length > 0) {
    metadata[metadataIndexes.commitHash] = Metadata.encode({ value: verdict.commitHash });
  }
  return { ...block, metadata: { metadata } };
}
