import t from 'tap';
import { Fault, concatBytes, utf8 } from '#base';
import { Block, Envelope, Metadata, dataHash, metadataIndexes } from '#formats';
import { verifyBlock } from '../../peer/verify-block.ts';
import { mutate, seededRandom } from '../crypto/fuzzing.ts';
import { testOrg } from '../policy/test-channel.ts';
import { TestChain } from '../support/test-chain.ts';
import type { BlockChanges } from '../support/test-chain.ts';
import { bundleTransaction, requestOf } from '../support/test-transactions.ts';

const chain = await TestChain.create();
const { network, config } = chain;
const transaction = bundleTransaction(network, [requestOf(network, { key: 'a', value: '1' })]);
const other = bundleTransaction(network, [requestOf(network, { key: 'a', value: '2' })]);
const { zone, orgs } = network;

/** What is needed of a test. */
interface TestScope {
  throws(call: () => void, expected: { code: string }): unknown;
}

function verify(block: Block): void {
  const { height, lastHeaderHash } = chain;
  verifyBlock(block, { height, lastHeaderHash, config });
}

/** A block that is right in all but what the changes say. */
const made = (changes: BlockChanges = {}) => chain.make([transaction], changes);

function refused(test: TestScope, block: Block, code: string): void {
  test.throws(() => verify(block), { code });
}

t.test('002-16 the next block, signed by the zone’s orderer, is accepted', async (t) => {
  t.doesNotThrow(() => verify(made()));
  t.doesNotThrow(() => verify(Block.decode(Block.encode(made()))), 'from its bytes too');
});

t.test('002-16 a block without a header is refused', async (t) => {
  refused(t, { ...made(), header: undefined }, 'PEER_BLOCK_UNREADABLE');
});

t.test('002-16 a block of another number is refused, whoever signed it', async (t) => {
  refused(t, made({ header: { number: 0n } }), 'PEER_BLOCK_OUT_OF_ORDER');
  refused(t, made({ header: { number: 2n } }), 'PEER_BLOCK_OUT_OF_ORDER');
});

t.test('002-16 a block that follows another block than ours is refused', async (t) => {
  const previousHash = dataHash([utf8('another chain')]);
  refused(t, made({ header: { previousHash } }), 'PEER_BLOCK_UNCHAINED');
});

t.test('002-16 a block with four metadata entries is refused', async (t) => {
  const metadata = (entries: Uint8Array[]) => entries.slice(0, 4);
  refused(t, made({ metadata }), 'PEER_BLOCK_METADATA_SHORT');
  refused(t, { ...made(), metadata: undefined }, 'PEER_BLOCK_METADATA_SHORT');
});

t.test('002-16 a block without transactions is refused', async (t) => {
  refused(t, chain.make([]), 'PEER_BLOCK_MALFORMED');
  refused(t, { ...made(), data: undefined }, 'PEER_BLOCK_MALFORMED');
});

t.test('002-16 a block with an envelope in another form than Go’s is refused', async (t) => {
  const { payload, signature } = Envelope.decode(transaction.envelope);
  const swapped = concatBytes(Envelope.encode({ signature }), Envelope.encode({ payload }));
  t.same(Envelope.decode(swapped), { payload, signature }, 'it says the same');
  refused(t, chain.make([{ ...transaction, envelope: swapped }]), 'PEER_BLOCK_MALFORMED');
  const unsigned = Envelope.encode({ payload });
  refused(t, chain.make([{ ...transaction, envelope: unsigned }]), 'PEER_BLOCK_MALFORMED');
});

t.test('002-16 a block with other transactions than its data hash names is refused', async (t) => {
  refused(t, made({ data: [other.envelope] }), 'PEER_BLOCK_DATA_CHANGED');
  refused(t, made({ data: [transaction.envelope, other.envelope] }), 'PEER_BLOCK_DATA_CHANGED');
});

t.test('002-16 a block whose signature is not over it is refused', async (t) => {
  const signed = chain.make([other]).metadata!.metadata[0]!;
  refused(t, made({ metadata: ([, ...rest]) => [signed, ...rest] }), 'PEER_BLOCK_UNSIGNED');
});

t.test('002-16 a block with one bit of its signature changed is refused', async (t) => {
  const metadata = ([signatures, ...rest]: Uint8Array[]) => {
    const entry = Metadata.decode(signatures!);
    const [first] = entry.signatures;
    const signature = Uint8Array.from(first!.signature);
    signature[signature.length - 1]! ^= 1;
    return [Metadata.encode({ ...entry, signatures: [{ ...first!, signature }] }), ...rest];
  };
  refused(t, made({ metadata }), 'PEER_BLOCK_UNSIGNED');
});

t.test('002-16 a block without any signature is refused', async (t) => {
  const metadata = ([signatures, ...rest]: Uint8Array[]) => {
    const { value } = Metadata.decode(signatures!);
    return [Metadata.encode({ value }), ...rest];
  };
  refused(t, made({ metadata }), 'PEER_BLOCK_UNSIGNED');
});

t.test('002-16 a block signed by anyone but an orderer of the channel is refused', async (t) => {
  const stranger = await testOrg('Zone');
  const notOrderers = [
    { mspid: orgs[0]!.mspid, identity: orgs[0]!.peer },
    { mspid: orgs[0]!.mspid, identity: orgs[0]!.orderer },
    { mspid: zone.mspid, identity: zone.client },
    { mspid: zone.mspid, identity: zone.admin },
    // The zone's name and role on the certificate of another authority, as another channel has it.
    { mspid: zone.mspid, identity: stranger.orderer },
  ];
  for (const signer of notOrderers) refused(t, made({ signer }), 'PEER_BLOCK_UNSIGNED');
});

t.test(
  '002-16 another evidence root or configuration index under the signature is refused',
  async (t) => {
    const value = Metadata.decode(
      made({ evidence: { treeSize: 9n, rootHash: dataHash([]) } }).metadata!.metadata[0]!,
    ).value;
    const metadata = ([signatures, ...rest]: Uint8Array[]) => [
      Metadata.encode({ ...Metadata.decode(signatures!), value }),
      ...rest,
    ];
    refused(t, made({ metadata }), 'PEER_BLOCK_UNSIGNED');
  },
);

t.test('what the sender says of validity is no reason to refuse', async (t) => {
  const metadata = (entries: Uint8Array[]) =>
    entries.with(metadataIndexes.transactionsFilter, Uint8Array.of(0));
  t.doesNotThrow(() => verify(made({ metadata })), 'the signature is not over it');
});

t.test('a mutated block is refused by a fault, or is the same signed content', async (t) => {
  const valid = Block.encode(made());
  const random = seededRandom(20_250_801);
  let refusals = 0;
  for (let round = 0; round < 1_500; round += 1) {
    try {
      const block = Block.decode(mutate(valid, random));
      verify(block);
      t.same(block.header, made().header);
      t.same(block.data, made().data);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      refusals += 1;
    }
  }
  t.ok(refusals > 1_000, `${refusals} of 1500 are refused`);
});
