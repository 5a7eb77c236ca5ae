import { equalBytes } from '#base';
import { dataHash, isConfigBlock } from '#formats';
import type { Block } from '#formats';
import { fault } from './faults.ts';

/**
 * Holds a block to the chain: number, hash of the block before, hash of its data.
 *
 * @throws LEDGER_BLOCK_MALFORMED, LEDGER_BLOCK_GAP, LEDGER_BLOCK_CONFLICT
 */
export function checkFollows(block: Block, height: bigint, lastHeaderHash: Uint8Array): void {
  const { header, data } = block;
  if (header === undefined || data === undefined || data.data.length === 0) {
    throw fault('LEDGER_BLOCK_MALFORMED', { reason: 'part missing' });
  }
  const { number } = header;
  if (number !== height) throw fault('LEDGER_BLOCK_GAP', { number, height });
  if (!equalBytes(header.previousHash, lastHeaderHash)) {
    throw fault('LEDGER_BLOCK_CONFLICT', { number, reason: 'previous hash' });
  }
  if (!equalBytes(header.dataHash, dataHash(data.data))) {
    throw fault('LEDGER_BLOCK_MALFORMED', { number, reason: 'data hash' });
  }
}

/** @throws LEDGER_GENESIS_INVALID */
export function checkGenesis(block: Block): void {
  const { header, data } = block;
  const right =
    header?.number === 0n &&
    header.previousHash.length === 0 &&
    isConfigBlock(block) &&
    equalBytes(header.dataHash, dataHash(data?.data ?? []));
  if (!right) throw fault('LEDGER_GENESIS_INVALID');
}
