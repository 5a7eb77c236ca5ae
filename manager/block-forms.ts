import { LruMap, limits } from '#base';
import {
  Block,
  PeerDeliverResponse,
  encodeBlockResponse,
  filteredBlockOf,
  headerView,
  isConfigBlock,
  ordererView,
} from '#formats';
import type { Ledger } from '#ledger';
import type { Seek } from './deliver-request.ts';
import { fault } from './faults.ts';
import { readerPolicies } from './reader-access.ts';

/** What one method of a Deliver service sends for a block, and to whom. */
export interface BlockForm {
  /** Who may read. */
  policyPath: string;
  /** Whether blocks may be asked for from the next commit on, which only peers know. */
  fromNextCommit: boolean;
  /** A DeliverResponse's bytes. @throws MANAGER_BLOCK_ABSENT */
  response(number: bigint, seek: Seek): Uint8Array;
}

type BlockReads = Pick<Ledger, 'block' | 'rawBlock'>;

/** Blocks as an orderer sends them: without what a committer fills in. */
export function ordererForm(ledger: Pick<BlockReads, 'rawBlock'>): BlockForm {
  return {
    policyPath: readerPolicies.channel,
    fromNextCommit: false,
    response(number, { headersOnly }) {
      const stored = ledger.rawBlock(number);
      if (stored === undefined) throw fault('MANAGER_BLOCK_ABSENT', { number });
      return encodeBlockResponse(headersOnly ? headerOf(stored) : ordererView(stored));
    },
  };
}

/** Blocks as a peer sends them, with the final codes: whole, filtered, or whole with private data. */
export function peerForms(
  ledger: Pick<BlockReads, 'block'>,
): Record<'whole' | 'filtered' | 'withPrivateData', BlockForm> {
  const form = (encode: (block: Block) => Uint8Array): BlockForm => {
    // Whoever listens is sent the newest blocks, all of them the same ones.
    const newest = new LruMap<bigint, Uint8Array>(limits.ledgerBlocksCachedMax);
    return {
      policyPath: readerPolicies.application,
      fromNextCommit: true,
      response(number) {
        const known = newest.get(number);
        if (known !== undefined) return known;
        const block = ledger.block(number);
        if (block === undefined) throw fault('MANAGER_BLOCK_ABSENT', { number });
        const response = encode(block);
        newest.set(number, response);
        return response;
      },
    };
  };
  return {
    whole: form((block) => PeerDeliverResponse.encode({ block })),
    filtered: form((block) =>
      PeerDeliverResponse.encode({ filteredBlock: filteredBlockOf(block) }),
    ),
    withPrivateData: form((block) =>
      PeerDeliverResponse.encode({ blockAndPrivateData: { block } }),
    ),
  };
}

/** Whoever follows headers still needs configurations whole, to know who may sign the next ones. */
function headerOf(stored: Uint8Array): Uint8Array {
  return isConfigBlock(Block.decode(stored)) ? ordererView(stored) : headerView(stored);
}
