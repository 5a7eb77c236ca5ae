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

/** The value that {@link encodeReceipt} writes. */
export function receiptJson(receipt: Receipt): ReceiptJson {
  return JSON.parse(receiptText(receipt)) as ReceiptJson;
}

export interface ReceiptJson {
  format: string;
  channel: string;
  request: string;
  result: string;
  leaf: {
    requestHash: string;
    resultHash: string;
    blockNumber: string;
    txId: string;
    requestIndex: number;
    validationCode: number;
  };
  leafIndex: string;
  treeSize: string;
  inclusionProof: string[];
  block: { number: string; previousHash: string; dataHash: string };
  signatures: string;
  certificates: string[];
}

/**
 * {@link receiptJson} as JSON, to be put into an answer. Receipts of one block are mostly made one
 * after the other, and most of their text is the same: it is kept and joined, which costs a third of
 * building the value and writing it.
 */
export function receiptText(receipt: Receipt): string {
  const { leaf, leafIndex, treeSize, certificates } = receipt;
  const leafText =
    `{"requestHash":"${toBase64(leaf.requestHash)}","resultHash":"${toBase64(leaf.resultHash)}"` +
    `,"blockNumber":"${leaf.blockNumber}","txId":${JSON.stringify(leaf.txId)}` +
    `,"requestIndex":${leaf.requestIndex},"validationCode":${leaf.validationCode}}`;
  return (
    `{"format":"${receiptFormat}","channel":${JSON.stringify(receipt.channel)}` +
    `,"request":${JSON.stringify(receipt.request)},"result":"${toBase64(receipt.result)}"` +
    `,"leaf":${leafText},"leafIndex":"${leafIndex}","treeSize":"${treeSize}"` +
    `,"inclusionProof":${proofText(receipt.inclusionProof)}${blockText(receipt)}` +
    `,"certificates":${JSON.stringify(certificates.map(toBase64))}}`
  );
}

let lastBlock: { header: BlockHeader; signatures: Uint8Array; text: string } | undefined;

function blockText({ block, signatures }: Receipt): string {
  if (lastBlock?.header !== block || lastBlock.signatures !== signatures) {
    const { number, previousHash, dataHash } = block;
    const text =
      `,"block":{"number":"${number}","previousHash":"${toBase64(previousHash)}"` +
      `,"dataHash":"${toBase64(dataHash)}"},"signatures":"${toBase64(signatures)}"`;
    lastBlock = { header: block, signatures, text };
  }
  return lastBlock.text;
}

/** Of the proof before: the next leaf's has the same hashes but for about two. */
let lastProof: { hash: Uint8Array; text: string }[] = [];

function proofText(hashes: readonly Uint8Array[]): string {
  lastProof = hashes.map((hash, level) => {
    const last = lastProof[level];
    return last?.hash === hash ? last : { hash, text: `"${toBase64(hash)}"` };
  });
  return `[${lastProof.map(({ text }) => text).join(',')}]`;
}
