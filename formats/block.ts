import { concatBytes, emptyBytes } from '#base';
import { derInteger, derOctetString, derSequence, sha256 } from '#crypto';
import { ConsenterMetadata } from './bundle.ts';
import {
  ChannelHeader,
  Envelope,
  LastConfig,
  Metadata,
  OrdererBlockMetadata,
  Payload,
  headerTypes,
  metadataIndexes,
} from './fabric-common.ts';
import type { Block, BlockHeader, MetadataSignature } from './fabric-common.ts';
import { fault } from './faults.ts';
import { ProtobufReader, wireTypes } from './protobuf-reader.ts';

/**
 * A block header as Fabric hashes and signs it: DER of SEQUENCE { INTEGER number, OCTET STRING
 * previousHash, OCTET STRING dataHash }.
 *
 * @see Fabric protoutil/blockutils.go, BlockHeaderBytes.
 */
export function headerDer(header: BlockHeader): Uint8Array {
  return derSequence(
    derInteger(header.number),
    derOctetString(header.previousHash),
    derOctetString(header.dataHash),
  );
}

/** SHA-256 of {@link headerDer}: the next block's `previousHash`. */
export function headerHash(header: BlockHeader): Uint8Array {
  return sha256(headerDer(header));
}

/** SHA-256 over the block's envelopes laid end to end, without lengths. */
export function dataHash(data: readonly Uint8Array[]): Uint8Array {
  return sha256(...data);
}

/** What a block signature signs: the metadata's value, then its signature header, then the block. */
export function blockSignatureInput(
  value: Uint8Array,
  signatureHeader: Uint8Array,
  header: BlockHeader,
): Uint8Array {
  return concatBytes(value, signatureHeader, headerDer(header));
}

/** What a block's metadata says beside its signatures. */
export interface BlockFacts {
  /** Number of the newest config block at or before this one. */
  lastConfigIndex: bigint;
  /** The evidence log after this block; absent in a genesis block. */
  consenterMetadata?: ConsenterMetadata;
}

/** The value of the SIGNATURES entry: common.OrdererBlockMetadata bytes, to be signed. */
export function signaturesValue(facts: BlockFacts): Uint8Array {
  const { consenterMetadata: evidence } = facts;
  return OrdererBlockMetadata.encode({
    // Stock tools dereference last_config unasked: it is there even for block 0.
    lastConfig: { index: facts.lastConfigIndex },
    consenterMetadata: evidence === undefined ? emptyBytes : ConsenterMetadata.encode(evidence),
  });
}

/**
 * The five metadata entries of a block that is ready for delivery: 3.x peers refuse shorter lists.
 * TRANSACTIONS_FILTER and COMMIT_HASH are left for whoever commits it.
 *
 * @param value made by {@link signaturesValue} from the same facts.
 */
export function blockMetadata(
  facts: BlockFacts,
  value: Uint8Array,
  signatures: MetadataSignature[],
): Uint8Array[] {
  const lastConfig = LastConfig.encode({ index: facts.lastConfigIndex });
  return [
    Metadata.encode({ value, signatures }),
    Metadata.encode({ value: lastConfig }),
    emptyBytes,
    emptyBytes,
    emptyBytes,
  ];
}

/** Number of the newest config block, as the block's SIGNATURES entry says. @throws FORMATS_BLOCK_MALFORMED */
export function lastConfigIndex(block: Block): bigint {
  const { lastConfig } = ordererMetadataOf(block);
  if (lastConfig === undefined) throw malformed('no last config');
  return lastConfig.index;
}

/**
 * The evidence log after this block; undefined when the block carries none (genesis).
 *
 * @throws FORMATS_BLOCK_MALFORMED, FORMATS_PROTOBUF_INVALID, FORMATS_PROTOBUF_NOT_CANONICAL
 */
export function consenterMetadata(block: Block): ConsenterMetadata | undefined {
  const bytes = ordererMetadataOf(block).consenterMetadata;
  return bytes.length === 0 ? undefined : ConsenterMetadata.decodeCanonical(bytes);
}

/** The SIGNATURES entry. @throws FORMATS_BLOCK_MALFORMED, FORMATS_PROTOBUF_INVALID */
export function signaturesMetadata(block: Block): Metadata {
  const entry = block.metadata?.metadata[metadataIndexes.signatures];
  if (entry === undefined) throw malformed('no signatures entry');
  return Metadata.decode(entry);
}

/** Whether the block is one configuration transaction, as stock peers decide it. */
export function isConfigBlock(block: Block): boolean {
  const [only, ...others] = block.data?.data ?? [];
  if (only === undefined || others.length > 0) return false;
  try {
    const { header } = Payload.decode(Envelope.decode(only).payload);
    if (header === undefined) return false;
    return ChannelHeader.decode(header.channelHeader).type === headerTypes.config;
  } catch {
    // What cannot be read is no configuration; the caller's next check says what it is.
    return false;
  }
}

/**
 * Refuses a block that stock peers would refuse whole, over and over, for the form of its data.
 *
 * @throws FORMATS_BLOCK_MALFORMED no transaction, or one that is not in the form Go would write.
 * @see Fabric protoutil/blockutils.go, VerifyTransactionsAreWellFormed.
 */
export function checkWellFormed(block: Block): void {
  const data = block.data?.data ?? [];
  if (data.length === 0) throw malformed('no transaction');
  if (isConfigBlock(block)) return;
  for (const [index, raw] of data.entries()) {
    if (!isWellFormedEnvelope(raw)) throw malformed('transaction in another form', index);
  }
}

/**
 * Go keeps unknown fields and writes them back behind the known ones, so a stock peer takes an
 * envelope with such a tail. What we order ourselves has to be stricter: `Envelope.decodeCanonical`.
 */
function isWellFormedEnvelope(raw: Uint8Array): boolean {
  try {
    const reader = new ProtobufReader(raw);
    for (const field of [1, 2]) {
      const start = reader.offset;
      if (reader.tag() !== field * 8 + wireTypes.bytes) return false;
      const value = reader.bytes();
      // A tag of one byte, a length of the fewest bytes, the value: or it was not minimal.
      if (value.length === 0) return false;
      if (reader.offset - start !== 1 + varintBytes(value.length) + value.length) return false;
    }
    while (!reader.done) {
      const tag = reader.tag();
      if (tag === 8 + wireTypes.bytes || tag === 16 + wireTypes.bytes) return false;
      reader.skip(tag);
    }
    return true;
  } catch {
    return false;
  }
}

function varintBytes(value: number): number {
  return value < 0x80 ? 1 : 1 + varintBytes(Math.floor(value / 0x80));
}

function ordererMetadataOf(block: Block): OrdererBlockMetadata {
  return OrdererBlockMetadata.decode(signaturesMetadata(block).value);
}

function malformed(reason: string, transaction?: number): Error {
  return fault('FORMATS_BLOCK_MALFORMED', { reason, transaction });
}
