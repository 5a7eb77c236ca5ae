import { toBase64 } from '#base';
import type { EvidenceLeaf } from './bundle.ts';
import type { BlockHeader } from './fabric-common.ts';

/** The `format` of a receipt file; another number is another format. */
export const receiptFormat = 'countersign-receipt/1';

/**
 * All that somebody needs, beside the channel's trust anchor, to see that a request was executed,
 * when and with what result. docs/FORMATS.md describes the file.
 */
export interface Receipt {
  channel: string;
  /** The client's request, compact JWS. */
  request: string;
  /** countersign.RequestResult bytes. */
  result: Uint8Array;
  leaf: EvidenceLeaf;
  /** Index of the leaf in the evidence log. */
  leafIndex: bigint;
  /** Size of the evidence log that the block commits to. */
  treeSize: bigint;
  /** RFC 6962 audit path, hashes of 32 bytes from the leaf up. */
  inclusionProof: Uint8Array[];
  /** Header of the block that commits to the log: the one with the request, or a later one. */
  block: BlockHeader;
  /** The block's SIGNATURES entry: common.Metadata bytes. */
  signatures: Uint8Array;
  /** Intermediate certificates between the block's signers and their roots, X.509 DER. */
  certificates: Uint8Array[];
}

/** @returns the receipt as a file: JSON, numbers of 64 bits as decimal text, bytes as base64. */
export function encodeReceipt(receipt: Receipt): string {
  return `${JSON.stringify(receiptJson(receipt), undefined, 2)}\n`;
}

/** The value that {@link encodeReceipt} writes, to be put into an answer of JSON. */
export function receiptJson(receipt: Receipt) {
  const { leaf, block } = receipt;
  return {
    format: receiptFormat,
    channel: receipt.channel,
    request: receipt.request,
    result: toBase64(receipt.result),
    leaf: {
      requestHash: toBase64(leaf.requestHash),
      resultHash: toBase64(leaf.resultHash),
      blockNumber: leaf.blockNumber.toString(),
      txId: leaf.txId,
      requestIndex: leaf.requestIndex,
      validationCode: leaf.validationCode,
    },
    leafIndex: receipt.leafIndex.toString(),
    treeSize: receipt.treeSize.toString(),
    inclusionProof: receipt.inclusionProof.map(base64Once),
    block: {
      number: block.number.toString(),
      previousHash: toBase64(block.previousHash),
      dataHash: toBase64(block.dataHash),
    },
    signatures: base64Once(receipt.signatures),
    certificates: receipt.certificates.map(toBase64),
  };
}

/** All receipts of a block hold the same signatures, and proofs share most of their hashes. */
const base64Known = new WeakMap<Uint8Array, string>();

function base64Once(bytes: Uint8Array): string {
  let text = base64Known.get(bytes);
  if (text === undefined) {
    text = toBase64(bytes);
    base64Known.set(bytes, text);
  }
  return text;
}
