import t from 'tap';
import { textOf, toHex, utf8 } from '#base';
import { Block, Metadata, headerHash, metadataIndexes } from '#formats';
import {
  commit,
  configBlock,
  envelopeOf,
  genesisBlock,
  headerFor,
  nextBlock,
  openTestLedger,
  testMetadata,
  txIdOf,
  write,
} from './support.ts';
import { temporaryDir } from '../support/temporary-dir.ts';

t.test(
  '002-14 002-17 a written block is kept and can be read by number, transaction and key',
  async (t) => {
    await using ledger = await openTestLedger(temporaryDir(t));
    const heard: bigint[] = [];
    const stop = ledger.onCommit(({ number }) => heard.push(number));
    const reached = ledger.waitForHeight(2n, AbortSignal.timeout(5_000));
    const envelope = envelopeOf({ name: 'a', writes: [['k', 'v']] });
    const proposed = await ledger.propose({
      header: headerFor(ledger, [envelope]),
      data: [envelope],
    });
    t.same(proposed.codes, [0]);
    t.equal(ledger.height, 1n, 'a proposed block is not committed');
    t.equal(ledger.get('notary', 'k'), undefined);
    const committed = await ledger.seal(testMetadata(0n));
    await reached;
    stop();
    await commit(ledger, { name: 'b' });

    t.same(heard, [1n]);
    t.equal(ledger.height, 3n);
    t.equal(textOf(ledger.get('notary', 'k')!.value), 'v');
    t.same(ledger.get('notary', 'k')!.version, { blockNum: 1n, txNum: 0n });
    const block = ledger.block(1n)!;
    t.same(headerHash(block.header!), committed.headerHash);
    t.same(block.metadata!.metadata[metadataIndexes.transactionsFilter], [0]);
    const stored = Metadata.decode(block.metadata!.metadata[metadataIndexes.commitHash]!);
    t.same(stored.value, committed.commitHash);
    t.same(block, committed.block);
    t.same(ledger.blockByTxId(txIdOf('a')), block);
    const found = ledger.transaction(txIdOf('a'))!;
    t.same([found.blockNumber, found.index, found.code], [1n, 0, 0]);
    t.same(found.envelope, envelope);
    t.equal(ledger.block(3n), undefined);
    t.equal(ledger.transaction(txIdOf('none')), undefined);
  },
);

t.test('raw blocks are as they were sealed, also when header and metadata lie apart', async (t) => {
  await using ledger = await openTestLedger(temporaryDir(t));
  await write(ledger, { name: 'a' });
  const foreign = nextBlock(ledger, [{ name: 'b' }]);
  await ledger.commit(foreign);
  t.same(Block.decode(ledger.rawBlock(2n)!), foreign);
  const own = Block.decode(ledger.rawBlock(1n)!);
  t.same(own.metadata!.metadata, testMetadata(0n));
  t.same(own.data!.data, [envelopeOf({ name: 'a' })]);
  t.equal(ledger.rawBlock(3n), undefined);
});

t.test('the config block in force is the newest one committed', async (t) => {
  const dir = temporaryDir(t);
  const seen: (bigint | undefined)[] = [];
  const validate = (block: Block, _: unknown, config: Block) => {
    seen.push(config.header?.number);
    const type = block.header?.number === 2n ? 1 : 3;
    return [{ code: 0 as const, txId: '', type, rwset: { namespaces: [] } }];
  };
  {
    await using ledger = await openTestLedger(dir, { validate });
    await commit(ledger, { name: 'a' });
    await ledger.commit(configBlock(2n, ledger.lastHeaderHash, 2n));
    await commit(ledger, { name: 'b' });
    t.equal(ledger.configBlock.header?.number, 2n);
    t.equal(ledger.get('', 'CHANNEL_CONFIG_ENV_BYTES')?.version.blockNum, 2n);
  }
  await using again = await openTestLedger(dir, { validate });
  t.equal(again.configBlock.header?.number, 2n);
  t.same(seen, [0n, 0n, 2n]);
});

t.test('a block that does not follow the newest one is refused', async (t) => {
  await using ledger = await openTestLedger(temporaryDir(t));
  const block = nextBlock(ledger, [{ name: 'a' }]);
  const changed = (header: object) => ({ ...block, header: { ...block.header!, ...header } });
  await t.rejects(ledger.commit(changed({ number: 2n })), { code: 'LEDGER_BLOCK_GAP' });
  await t.rejects(ledger.commit(changed({ previousHash: new Uint8Array(32) })), {
    code: 'LEDGER_BLOCK_CONFLICT',
  });
  await t.rejects(ledger.commit(changed({ dataHash: new Uint8Array(32) })), {
    code: 'LEDGER_BLOCK_MALFORMED',
  });
  await t.rejects(ledger.commit({ ...block, data: undefined }), { code: 'LEDGER_BLOCK_MALFORMED' });
  t.equal(ledger.height, 1n);
  await ledger.commit(block);
  await t.rejects(ledger.commit(block), { code: 'LEDGER_BLOCK_GAP' });
});

t.test('a ledger begins with a genesis block, once', async (t) => {
  const dir = temporaryDir(t);
  const { openLedger } = await import('#ledger');
  const { silentLog } = await import('#base');
  await using ledger = await openLedger({ dir, log: silentLog, validate: () => [] });
  t.throws(() => ledger.configBlock, { code: 'LEDGER_EMPTY' });
  await t.rejects(ledger.commit(genesisBlock()), { code: 'LEDGER_EMPTY' });
  await t.rejects(ledger.init(configBlock(1n, utf8(''), 1n)), { code: 'LEDGER_GENESIS_INVALID' });
  await ledger.init(genesisBlock());
  await t.rejects(ledger.init(genesisBlock()), { code: 'LEDGER_NOT_EMPTY' });
  t.equal(toHex(ledger.block(0n)!.metadata!.metadata[metadataIndexes.transactionsFilter]!), '00');
  t.equal(ledger.block(0n)!.metadata!.metadata[metadataIndexes.commitHash]!.length, 0);
});

t.test('one write runs at a time', async (t) => {
  await using ledger = await openTestLedger(temporaryDir(t));
  const block = nextBlock(ledger, [{ name: 'a' }]);
  const first = ledger.commit(block);
  await t.rejects(ledger.commit(block), { code: 'LEDGER_WRITE_BUSY' });
  t.equal((await first).number, 1n);
});

t.test('a proposed block can only be sealed', async (t) => {
  await using ledger = await openTestLedger(temporaryDir(t));
  await t.rejects(ledger.seal(testMetadata(0n)), { code: 'LEDGER_PROPOSAL_ABSENT' });
  const data = [envelopeOf({ name: 'a' })];
  await ledger.propose({ header: headerFor(ledger, data), data });
  const other = [envelopeOf({ name: 'b' })];
  await t.rejects(ledger.propose({ header: headerFor(ledger, other), data: other }), {
    code: 'LEDGER_PROPOSAL_OPEN',
  });
  await t.rejects(ledger.commit(nextBlock(ledger, [{ name: 'b' }])), {
    code: 'LEDGER_BLOCK_CONFLICT',
  });
  const committed = await ledger.commit(nextBlock(ledger, [{ name: 'a' }]));
  t.equal(committed.number, 1n, 'the same block, signed elsewhere, seals it');
});

t.test('assessing says the codes of the next block and stores nothing', async (t) => {
  await using ledger = await openTestLedger(temporaryDir(t));
  const envelopes = [
    envelopeOf({ name: 'a', reads: [['k', undefined]], writes: [['k', '1']] }),
    envelopeOf({ name: 'b', reads: [['k', undefined]], writes: [['k', '2']] }),
  ];
  t.same(ledger.assess(envelopes), [0, 11]);
  t.equal(ledger.height, 1n);
  t.equal(ledger.get('notary', 'k'), undefined);
  t.equal(ledger.hasTransaction(txIdOf('a')), false);
  t.same(ledger.assess([envelopes[1]!]), [0]);
  const proposed = await ledger.propose({ header: headerFor(ledger, envelopes), data: envelopes });
  t.same(proposed.codes, [0, 11]);
});
