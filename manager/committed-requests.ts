import { LruMap, limits, textOf } from '#base';
import {
  EvidenceLeaf,
  RequestResult,
  bundleOf,
  metadataIndexes,
  parseTransaction,
  receiptText,
} from '#formats';
import type { Bundle } from '#formats';
import type { Ledger } from '#ledger';
import { fault } from './faults.ts';
import type { CommittedRequest } from './request-answer.ts';

/** Requests that are in a block, read back from the ledger. */
export class CommittedRequests {
  readonly #ledger: Pick<Ledger, 'block' | 'receiptParts' | 'request' | 'transaction'>;
  readonly #channelId: () => string;
  /** By transaction id: the requests of one call are mostly in a few bundles. */
  readonly #bundles = new LruMap<string, Bundle>(limits.bundlesCachedMax);

  constructor(
    ledger: Pick<Ledger, 'block' | 'receiptParts' | 'request' | 'transaction'>,
    channelId: () => string,
  ) {
    this.#ledger = ledger;
    this.#channelId = channelId;
  }

  /** @returns undefined when no block holds the request. */
  find(requestId: string): CommittedRequest | undefined {
    const place = this.#ledger.request(requestId);
    if (place === undefined) return undefined;
    const { blockNumber, txId, requestIndex, code } = place;
    const result = this.#bundle(txId).results[requestIndex];
    if (result === undefined) throw fault('MANAGER_LEDGER_INCONSISTENT', { txId });
    return { requestId, result, blockNumber, txId, requestIndex, validationCode: code };
  }

  /**
   * The receipt as JSON, proved against the block that holds the request.
   *
   * @returns undefined when no block holds the request.
   */
  receipt(requestId: string): string | undefined {
    const parts = this.#ledger.receiptParts(requestId);
    if (parts === undefined) return undefined;
    const { request, result, place } = parts;
    const { header, metadata } = this.#ledger.block(parts.treeBlockNumber) ?? {};
    const signatures = metadata?.metadata[metadataIndexes.signatures];
    if (!header || !signatures) throw fault('MANAGER_LEDGER_INCONSISTENT', { txId: place.txId });
    return receiptText({
      channel: this.#channelId(),
      request: textOf(request),
      result: RequestResult.encode(result),
      leaf: EvidenceLeaf.decode(parts.leaf),
      leafIndex: parts.leafIndex,
      treeSize: parts.treeSize,
      inclusionProof: parts.proof,
      block: header,
      signatures,
      // Ordering certificates come from a root of the channel's configuration, with none between.
      certificates: [],
    });
  }

  #bundle(txId: string): Bundle {
    const known = this.#bundles.get(txId);
    if (known !== undefined) return known;
    const transaction = this.#ledger.transaction(txId);
    const bundle = transaction && bundleOf(parseTransaction(transaction.envelope));
    if (bundle === undefined) throw fault('MANAGER_LEDGER_INCONSISTENT', { txId });
    this.#bundles.set(txId, bundle);
    return bundle;
  }
}
