import fabricProtos from '@hyperledger/fabric-protos';
import { toHex } from '#base';

const { common } = fabricProtos;

/** What a peer found of a block it committed; all peers find the same. */
export interface BlockVerdict {
  readonly codes: number[];
  /** Hex; empty for block 0. */
  readonly commitHash: string;
}

export function verdictIn(block: Uint8Array): BlockVerdict {
  const commitHash = toHex(commitHashIn(block) ?? new Uint8Array(0));
  return { codes: validationCodesIn(block), commitHash };
}

/** The validation codes that a peer wrote into a block it committed, one per transaction. */
export function validationCodesIn(block: Uint8Array): number[] {
  return [...metadataIn(block, common.BlockMetadataIndex.TRANSACTIONS_FILTER)];
}

/** The commit hash that a peer wrote into a block it committed: 32 bytes; none in block 0. */
export function commitHashIn(block: Uint8Array): Uint8Array | undefined {
  const bytes = metadataIn(block, common.BlockMetadataIndex.COMMIT_HASH);
  const value = common.Metadata.deserializeBinary(bytes).getValue_asU8();
  return value.length === 0 ? undefined : value;
}

// Read with Fabric's own published classes, so that a mistake in ours cannot hide itself here.
function metadataIn(block: Uint8Array, index: number): Uint8Array {
  const metadata = common.Block.deserializeBinary(block).getMetadata();
  return metadata?.getMetadataList_asU8()[index] ?? new Uint8Array(0);
}
