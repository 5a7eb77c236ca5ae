/** What is wrong with a transaction itself, its endorsements or its id. */
import { utf8 } from '#base';
import { transactionId } from '#formats';
import { actionDefects, endorsementDefects, formDefects } from '../policy/defects.ts';
import { creator, endorsers } from '../policy/test-validation.ts';
import type { Defect } from '../policy/test-validation.ts';
import { read } from './hostile-chain.ts';
import type { HostileChain, Judged } from './hostile-chain.ts';
import type { Story } from './stories-of-state.ts';

/** These end a stock peer's process or make it refuse the block, so that no block may have them. */
const killers = [
  'a configuration',
  'no header',
  'no endorsed action',
  'no signature',
  'a write to a private collection',
];

/**
 * All other defects, in one block. Those whose endorsements are looked at come first: a stock peer
 * that cannot read a transaction waits for ever, or dies, at the next one that comes so far.
 *
 * @see Fabric core/common/validation/statebased/validator_keylevel.go, extractDependenciesForTx.
 */
export function defectsOf(chain: HostileChain): { block: bigint; defects: readonly Defect[] } {
  const all = [...formDefects, ...actionDefects, ...endorsementDefects].filter(
    ([, defect]) => !killers.includes(defect),
  );
  const comesFar = ([code]: Defect) =>
    code === 'ENDORSEMENT_POLICY_FAILURE' || code === 'INVALID_CHAINCODE';
  const defects = [...all.filter(comesFar), ...all.filter((defect) => !comesFar(defect))];
  const block = chain.add(
    ...defects.map(([code, , parts]): Judged => [code, chain.transaction(parts)]),
  );
  return { block, defects };
}

const short = { endorsers: endorsers.slice(0, 1) };

export const idStories: Readonly<Record<string, Story>> = {
  'an id that the ledger has is a duplicate, valid or not': (chain) => {
    const good = chain.transaction();
    const bad = chain.transaction(short);
    chain.add(['VALID', good], ['ENDORSEMENT_POLICY_FAILURE', bad]);
    chain.add(['DUPLICATE_TXID', good], ['DUPLICATE_TXID', bad]);
  },

  'within a block the first good one keeps the id': (chain) => {
    const nonce = utf8('one nonce for several');
    const another = utf8('another nonce of several');
    const of = (using: Uint8Array, parts = {}) =>
      chain.transaction({ signatureHeader: { nonce: using }, ...parts });
    chain.add(
      ['VALID', of(nonce)],
      ['DUPLICATE_TXID', of(nonce)],
      ['ENDORSEMENT_POLICY_FAILURE', of(another, short)],
      ['VALID', of(another)],
      ['DUPLICATE_TXID', of(another)],
    );
  },

  'a stale transaction claims its id all the same': (chain) => {
    const nonce = utf8('nonce of the stale one');
    const parts = { signatureHeader: { nonce } };
    const stale = { reads: [read('no such key', { blockNum: 1n, txNum: 1n })] };
    chain.add(
      ['MVCC_READ_CONFLICT', chain.notary(stale, parts)],
      ['DUPLICATE_TXID', chain.transaction(parts)],
    );
  },

  'an invalid transaction claims whatever id it states': (chain) => {
    const nonce = utf8('nonce of the one robbed');
    const robbed = chain.transaction({ signatureHeader: { nonce } });
    const txId = transactionId(nonce, creator.identity.serialized(creator.mspid));
    chain.add(['BAD_PROPOSAL_TXID', chain.transaction({ channelHeader: { txId } })]);
    chain.add(['DUPLICATE_TXID', robbed]);
  },
};
