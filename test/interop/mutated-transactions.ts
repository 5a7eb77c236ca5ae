import { utf8 } from '#base';
import { sha256 } from '#crypto';
import type { ParsedRwSet, Version } from '#formats';
import { seededRandom } from '../crypto/fuzzing.ts';
import { write } from '../policy/test-transaction.ts';
import { creator, endorsers, spec } from '../policy/test-validation.ts';
import type { Signer } from '../policy/test-transaction.ts';
import { layeredEnvelope, layers } from '../support/envelope-layers.ts';
import type { LayerSigner, NamespaceContent } from '../support/envelope-layers.ts';
import { fitnessOf } from './fitness.ts';
import { read } from './hostile-chain.ts';
import type { HostileChain } from './hostile-chain.ts';
import { mutated } from './mutations.ts';

/**
 * Transactions of which one layer is changed at random, those first that a stock peer can read to
 * the end: behind one that it cannot read it would wait for ever.
 *
 * @param count how many are made; some are left out, see `fitnessOf` and `isCommittable`.
 */
export function mutatedTransactions(
  chain: HostileChain,
  seed: number,
  count: number,
): Uint8Array[] {
  const version = chain.seed('mutant row 1', 'mutant row 2', 'mutant read');
  const random = seededRandom(seed);
  const below = (bound: number) => Math.floor(random() * bound);
  const readable: Uint8Array[] = [];
  const unreadable: Uint8Array[] = [];
  for (let index = 0; index < count; index += 1) {
    const nonce = sha256(utf8(`mutant ${seed} ${index}`)).subarray(0, 24);
    const target = messages[below(messages.length)];
    const namespaces = [contentOf(index, version)];
    const envelope = layeredEnvelope({ ...good, nonce, namespaces }, (layer, bytes) =>
      layer === target ? mutated(bytes, below) : bytes,
    );
    const fit = fitnessOf(envelope, (rwset) => isCommittable(rwset, keyOf(index)));
    if (fit === 'readable') readable.push(envelope);
    if (fit === 'unreadable') unreadable.push(envelope);
  }
  return [...readable, ...unreadable];
}

const signerOf = ({ mspid, identity }: Signer): LayerSigner => ({
  serialized: identity.serialized(mspid),
  sign: (data) => identity.sign(data),
});
const good = {
  channelId: spec.channelId,
  contract: 'notary',
  creator: signerOf(creator),
  endorsers: endorsers.map(signerOf),
};
const messages = layers.filter((layer) => layer !== 'endorsement' && layer !== 'signature');

const keyOf = (index: number) => `mutant ${index}`;
const ownKeys = /^mutant \d+$/;

function contentOf(index: number, version: Version): NamespaceContent {
  const key = keyOf(index);
  const rows = ['mutant row 1', 'mutant row 2'].map((row) => read(row, version));
  const content = {
    reads: [read('mutant read', version), read(`mutant unread`)],
    rangeQueriesInfo: [
      {
        startKey: 'mutant row',
        endKey: 'mutant row 9',
        itrExhausted: true,
        rawReads: { kvReads: rows },
        readsMerkleHashes: undefined,
      },
    ],
    writes: [write(key)],
    metadataWrites: [{ key, entries: [{ name: 'REMARK', value: utf8('none') }] }],
  };
  return { namespace: 'notary', content };
}

/**
 * Leaves out what a stock peer would die of, wait for or judge by chance: private data, keys of
 * another transaction, writes to a second namespace, a range read without a version, a summary of a
 * range.
 */
function isCommittable({ namespaces }: ParsedRwSet, ownKey: string): boolean {
  return namespaces.every(
    ({ namespace, collections = [], rangeQueries, writes, metadataWrites }) =>
      (namespace === 'notary' || writes.length + metadataWrites.length === 0) &&
      collections.length === 0 &&
      metadataWrites.every(({ key }) => key === ownKey) &&
      writes.every(({ key }) => key === ownKey || !ownKeys.test(key)) &&
      rangeQueries.every(
        ({ rawReads, readsMerkleHashes }) =>
          readsMerkleHashes === undefined &&
          (rawReads?.kvReads ?? []).every(({ version }) => version !== undefined),
      ),
  );
}
