import { Fault, emptyBytes, textOf, toHex } from '#base';
import {
  Metadata,
  SerializedIdentity,
  SignatureHeader,
  bundleOf,
  consenterMetadata,
  headerHash,
  headerTypes,
  metadataIndexes,
  parseTransaction,
  signaturesMetadata,
  validationCodeName,
  validationCodes,
} from '#formats';
import type { Block, BlockHeader } from '#formats';

/**
 * A block for people and scripts, with what this peer made of it. Hashes are hex.
 *
 * @param block of our own ledger, with codes and commit hash.
 */
export function blockView(block: Block) {
  const header = block.header as BlockHeader;
  const entries = block.metadata?.metadata ?? [];
  const codes = entries[metadataIndexes.transactionsFilter] ?? emptyBytes;
  return {
    // Exact far beyond any block: one a microsecond needs 285 years to pass 2^53.
    number: Number(header.number),
    headerHash: toHex(headerHash(header)),
    previousHash: toHex(header.previousHash),
    dataHash: toHex(header.dataHash),
    commitHash: toHex(commitHashOf(block)),
    signers: signersOf(block),
    ...evidenceOf(block),
    transactions: (block.data?.data ?? []).map((envelope, index) => ({
      ...transactionOf(envelope),
      validationCode: codeView(codes[index] ?? validationCodes.NOT_VALIDATED),
    })),
  };
}

/** Fabric's commit hash after a block of our own ledger; empty at block 0. */
export function commitHashOf(block: Block): Uint8Array {
  return Metadata.decode(block.metadata?.metadata[metadataIndexes.commitHash] ?? emptyBytes).value;
}

/** A validation code as number and as Fabric's name. */
export function codeView(code: number): { code: number; name: string } {
  return { code, name: validationCodeName(code) };
}

/** `{ text }` where the bytes are UTF-8, `{}` where they are not. */
export function textOrNothing(bytes: Uint8Array): { text?: string } {
  try {
    return { text: textOf(bytes) };
  } catch {
    return {};
  }
}

/** MSP ids. */
function signersOf(block: Block): string[] {
  return signaturesMetadata(block).signatures.map(
    ({ signatureHeader }) =>
      SerializedIdentity.decode(SignatureHeader.decode(signatureHeader).creator).mspid,
  );
}

function evidenceOf(block: Block) {
  const evidence = consenterMetadata(block);
  if (evidence === undefined) return {};
  const { treeSize, rootHash } = evidence;
  return { evidence: { treeSize: Number(treeSize), rootHash: toHex(rootHash) } };
}

function transactionOf(envelope: Uint8Array) {
  try {
    const parsed = parseTransaction(envelope);
    const { type, txId } = parsed.channelHeader;
    const contract = parsed.endorsed?.invocation?.chaincodeId?.name;
    const requests = bundleOf(parsed)?.results.map(({ requestId }) => toHex(requestId));
    return {
      txId,
      type: typeNames.get(type) ?? String(type),
      ...(contract === undefined ? {} : { contract }),
      ...(requests === undefined ? {} : { requests }),
    };
  } catch (error) {
    // It is in the block all the same, as an invalid transaction.
    if (error instanceof Fault) return { txId: '', type: 'unreadable' };
    throw error;
  }
}

const typeNames = new Map<number, string>(
  Object.entries(headerTypes).map(([name, number]) => [number, name]),
);
