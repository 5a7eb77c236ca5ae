import { Fault, equalBytes, textOf } from '#base';
import { leafHash, parsePem, sha256, verifyFabric, verifyInclusion } from '#crypto';
import type { PublicKey } from '#crypto';
import { blockSignatureInput, headerHash } from './block.ts';
import { ConsenterMetadata, EvidenceLeaf, RequestResult } from './bundle.ts';
import { Metadata, OrdererBlockMetadata, SignatureHeader } from './fabric-common.ts';
import type { BlockHeader } from './fabric-common.ts';
import { validationCodes } from './fabric-peer.ts';
import { SerializedIdentity } from './fabric-policies.ts';
import { fault } from './faults.ts';
import type { Receipt } from './receipt.ts';
import { parseRequest } from './request.ts';
import type { ParsedRequest } from './request.ts';

/** What a consistent receipt says, if its signers may sign blocks of the channel. */
export interface ReceiptFacts {
  channel: string;
  /** The client's signature on it was not verified: its key may not be in the receipt. */
  request: ParsedRequest;
  result: RequestResult;
  leaf: EvidenceLeaf;
  /**
   * executed: written to the ledger. failed: on the ledger as a failure, nothing else written.
   * invalidated: the whole transaction was marked invalid, its code is in the leaf.
   */
  outcome: 'executed' | 'failed' | 'invalidated';
  block: BlockHeader;
  headerHash: Uint8Array;
  /** Each verified here; whether they satisfy the channel's BlockValidation is the caller's to ask. */
  signatures: BlockSignature[];
}

/** One signature over a block's header and metadata. */
export interface BlockSignature {
  /** msp.SerializedIdentity bytes of the signer. */
  identity: Uint8Array;
  mspid: string;
  data: Uint8Array;
  /** ECDSA with SHA-256, DER. */
  signature: Uint8Array;
}

/**
 * Checks that everything in a receipt follows from the block signatures in it. What is left to the
 * caller is trust: that the signers' identities are the channel's orderers, by a configuration the
 * caller has from elsewhere.
 *
 * @throws FORMATS_RECEIPT_REQUEST_MISMATCH, FORMATS_RECEIPT_RESULT_MISMATCH,
 *   FORMATS_RECEIPT_PROOF_INVALID, FORMATS_RECEIPT_BLOCK_MISMATCH, FORMATS_RECEIPT_SIGNER_INVALID,
 *   FORMATS_RECEIPT_SIGNATURE_INVALID; FORMATS_REQUEST_… and FORMATS_PROTOBUF_… for its parts.
 */
export function checkReceipt(receipt: Receipt): ReceiptFacts {
  const { channel, leaf, block } = receipt;
  const request = checkRequest(receipt);
  const result = checkResult(receipt, request);
  const metadata = Metadata.decode(receipt.signatures);
  checkProof(receipt, metadata);
  if (leaf.blockNumber > block.number) throw fault('FORMATS_RECEIPT_BLOCK_MISMATCH');
  const signatures = metadata.signatures.map(({ signatureHeader, signature }) =>
    checkSignature(signatureHeader, signature, metadata.value, block),
  );
  if (signatures.length === 0) throw fault('FORMATS_RECEIPT_SIGNATURE_INVALID');
  return {
    channel,
    request,
    result,
    leaf,
    outcome: outcomeOf(leaf, result),
    block,
    headerHash: headerHash(block),
    signatures,
  };
}

function outcomeOf(leaf: EvidenceLeaf, result: RequestResult): ReceiptFacts['outcome'] {
  if (leaf.validationCode !== validationCodes.VALID) return 'invalidated';
  return result.status === 200 ? 'executed' : 'failed';
}

function checkRequest({ channel, request, leaf }: Receipt): ParsedRequest {
  const parsed = parseRequest(request);
  // A block's header names no channel: what ties a receipt to one is what the client signed.
  const right =
    equalBytes(sha256(parsed.bytes), leaf.requestHash) && parsed.payload.channel === channel;
  if (!right) throw fault('FORMATS_RECEIPT_REQUEST_MISMATCH');
  return parsed;
}

function checkResult({ result, leaf }: Receipt, request: ParsedRequest): RequestResult {
  const parsed = RequestResult.decodeCanonical(result);
  const right =
    equalBytes(sha256(result), leaf.resultHash) &&
    equalBytes(parsed.requestId, request.requestIdBytes);
  if (!right) throw fault('FORMATS_RECEIPT_RESULT_MISMATCH');
  return parsed;
}

/** The leaf is in the log, and the log's root in what the block's signatures are over. */
function checkProof(receipt: Receipt, metadata: Metadata): void {
  const { consenterMetadata } = OrdererBlockMetadata.decode(metadata.value);
  const { treeSize, rootHash } = ConsenterMetadata.decodeCanonical(consenterMetadata);
  if (treeSize !== receipt.treeSize) throw fault('FORMATS_RECEIPT_BLOCK_MISMATCH');
  const proven = verifyInclusion(
    leafHash(EvidenceLeaf.encode(receipt.leaf)),
    // Past 2^53 both become inexact, and are refused as no sizes.
    Number(receipt.leafIndex),
    Number(treeSize),
    receipt.inclusionProof,
    rootHash,
  );
  if (!proven) throw fault('FORMATS_RECEIPT_PROOF_INVALID');
}

function checkSignature(
  signatureHeader: Uint8Array,
  signature: Uint8Array,
  value: Uint8Array,
  block: BlockHeader,
): BlockSignature {
  const identity = SignatureHeader.decode(signatureHeader).creator;
  const { mspid, key } = signerOf(identity);
  const data = blockSignatureInput(value, signatureHeader, block);
  if (!verifyFabric(key, data, signature)) throw fault('FORMATS_RECEIPT_SIGNATURE_INVALID');
  return { identity, mspid, data, signature };
}

function signerOf(identity: Uint8Array): { mspid: string; key: PublicKey } {
  try {
    const { mspid, idBytes } = SerializedIdentity.decode(identity);
    const key = parsePem(textOf(idBytes)).publicKey;
    if (key.kind === 'P-256' || key.kind === 'P-384') return { mspid, key };
  } catch (cause) {
    if (!(cause instanceof Fault || cause instanceof TypeError)) throw cause;
    throw fault('FORMATS_RECEIPT_SIGNER_INVALID', {}, cause);
  }
  throw fault('FORMATS_RECEIPT_SIGNER_INVALID', { reason: 'kind of key' });
}
