import { Fault, equalBytes } from '#base';
import { checkWellFormed, dataHash, metadataIndexes } from '#formats';
import type { Block, BlockHeader } from '#formats';
import type { ChannelConfig } from '#policy';
import { fault } from './faults.ts';

/** The end of the chain that a block has to continue. */
export interface ChainEnd {
  /** Number of the block to come. */
  height: bigint;
  /** Header hash of the newest block, 32 bytes. */
  lastHeaderHash: Uint8Array;
  /** The configuration in force. */
  config: ChannelConfig;
}

/**
 * Checks a block that somebody sent as stock peers of 3.x do, and in their order, before anything
 * in it is believed. What its transactions do is not looked at.
 *
 * @throws PEER_BLOCK_UNREADABLE, PEER_BLOCK_OUT_OF_ORDER, PEER_BLOCK_UNCHAINED,
 *   PEER_BLOCK_METADATA_SHORT, PEER_BLOCK_MALFORMED, PEER_BLOCK_DATA_CHANGED, PEER_BLOCK_UNSIGNED.
 * @see Fabric common/deliverclient/block_verification.go.
 */
export function verifyBlock(block: Block, end: ChainEnd): void {
  const { header, data, metadata } = block;
  if (header === undefined) throw fault('PEER_BLOCK_UNREADABLE', { reason: 'no header' });
  const { number } = header;
  if (number !== end.height) {
    throw fault('PEER_BLOCK_OUT_OF_ORDER', { number, expected: end.height });
  }
  if (!equalBytes(header.previousHash, end.lastHeaderHash)) {
    throw fault('PEER_BLOCK_UNCHAINED', { number });
  }
  const entries = metadata?.metadata.length ?? 0;
  if (entries < entriesMin) throw fault('PEER_BLOCK_METADATA_SHORT', { number, entries });
  checkForm(block, header);
  if (!equalBytes(header.dataHash, dataHash(data?.data ?? []))) {
    throw fault('PEER_BLOCK_DATA_CHANGED', { number });
  }
  if (!end.config.verifyBlockSignature(block)) throw fault('PEER_BLOCK_UNSIGNED', { number });
}

const entriesMin = Object.keys(metadataIndexes).length;

function checkForm(block: Block, { number }: BlockHeader): void {
  try {
    checkWellFormed(block);
  } catch (cause) {
    if (!(cause instanceof Fault)) throw cause;
    throw fault('PEER_BLOCK_MALFORMED', { number, ...cause.detail }, cause);
  }
}
