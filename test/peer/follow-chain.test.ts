import t from 'tap';
import { emptyBytes, utf8 } from '#base';
import { Block, DeliverResponse, Envelope, Payload, SignatureHeader } from '#formats';
import { dataHash, deliverStatuses, encodeBlockResponse, validationCodes } from '#formats';
import { testNetwork } from '../policy/test-channel.ts';
import { TestChain } from '../support/test-chain.ts';
import { bundleTransaction, definitionOf, requestOf } from '../support/test-transactions.ts';
import { runPeer, scene } from './running-peer.ts';

const network = await testNetwork(2);
const { zone, orgs } = network;

/** Block 1 defines the contract, the others put one key each. */
function newChain(length = 4): TestChain {
  const chain = new TestChain(network);
  chain.append(definitionOf(network, 'notary'));
  while (chain.height < length) put(chain);
  return chain;
}

function put(chain: TestChain, key = `key-${chain.height}`): void {
  chain.append(bundleTransaction(network, [requestOf(network, { key, value: 'v' })]));
}

t.test('002-15 a peer asks for what it lacks, signed by its own identity', async (t) => {
  const stage = await scene(t, newChain());
  const { committed } = await runPeer(t, stage);
  await committed(3);
  const [seek, ...more] = stage.server.seeks;
  t.same(more, [], 'one request is enough');
  t.match(seek, { start: 1n, stop: 2n ** 64n - 1n });
  const { payload, signature } = Envelope.decode(seek!.envelope);
  const { header } = Payload.decode(payload);
  const { creator } = SignatureHeader.decode(header!.signatureHeader);
  const { config } = stage.chain;
  t.equal(config.identity(creator).roles.client, true, 'which cannot endorse');
  const signed = [{ identity: creator, data: payload, signature }];
  t.ok(config.evaluate('/Channel/Readers', signed), 'and may read');
});

t.test('002-15 a block made later reaches a waiting peer on the same stream', async (t) => {
  const stage = await scene(t, newChain());
  const { committed, ask } = await runPeer(t, stage);
  await committed(3);
  put(stage.chain);
  stage.server.announce();
  await committed(4);
  t.equal(stage.server.seeks.length, 1);
  t.match(await ask('/v1/health'), { body: { height: 5, connected: true } });
});

t.test(
  '002-16 002-17 each transaction gets Fabric’s code, and only valid ones change the state',
  async (t) => {
    const chain = newChain(2);
    const key = (name: string, value: string) => requestOf(network, { key: name, value });
    const good = bundleTransaction(network, [key('a', 'good')]);
    const short = bundleTransaction(network, [key('b', 'one endorsement')], {
      endorsedBy: [0],
      code: validationCodes.ENDORSEMENT_POLICY_FAILURE,
    });
    const stale = bundleTransaction(network, [key('c', 'stale')], {
      rwset: { reads: [{ key: 'a', version: { blockNum: 1n, txNum: 9n } }] },
      code: validationCodes.MVCC_READ_CONFLICT,
    });
    const unknown = bundleTransaction(network, [key('d', 'unknown')], {
      contract: 'nobody',
      code: validationCodes.INVALID_CHAINCODE,
    });
    const repeated = { ...good, code: validationCodes.DUPLICATE_TXID };
    const impostor = bundleTransaction(network, [key('e', 'forged')]);
    const { payload } = Envelope.decode(impostor.envelope);
    const forged = {
      ...impostor,
      envelope: Envelope.encode({ payload, signature: zone.admin.sign(payload) }),
      code: validationCodes.BAD_CREATOR_SIGNATURE,
    };
    chain.append(good, short, stale, unknown, forged);
    chain.append(repeated);
    const stage = await scene(t, chain);
    const { committed, ask } = await runPeer(t, stage);
    await committed(3);
    for (const [number, codes] of chain.codes.entries()) {
      const { body } = await ask(`/v1/blocks/${number}`);
      const seen = body['transactions'] as { validationCode: { code: number } }[];
      t.same(
        seen.map(({ validationCode }) => validationCode.code),
        codes,
        `block ${number}`,
      );
    }
    t.match(await ask('/v1/state/notary/a'), { status: 200, body: { value: { text: 'good' } } });
    for (const name of ['b', 'c', 'd', 'e'])
      t.match(await ask(`/v1/state/notary/${name}`), { status: 404 });
  },
);

t.test('002-16 what a sender claims of validity is not believed', async (t) => {
  const chain = newChain(2);
  const code = validationCodes.ENDORSEMENT_POLICY_FAILURE;
  const request = requestOf(network, { key: 'x', value: 'claimed valid' });
  chain.append(bundleTransaction(network, [request], { endorsedBy: [1], code }));
  const stage = await scene(t, chain);
  stage.server.substitute = (block) => {
    const metadata = [...block.metadata!.metadata];
    metadata[2] = Uint8Array.of(validationCodes.VALID);
    return encodeBlockResponse(Block.encode({ ...block, metadata: { metadata } }));
  };
  const { committed, ask } = await runPeer(t, stage);
  await committed(2);
  t.match(await ask('/v1/blocks/2'), { body: { transactions: [{ validationCode: { code } }] } });
  t.match(await ask('/v1/state/notary/x'), { status: 404 });
});

const good = (chain: TestChain) => chain.blocks[2]!;
const otherTransaction = bundleTransaction(network, [requestOf(network, { key: 'o', value: 'o' })]);

/** What a hostile source sends for block 2 of a chain. */
const hostile: Record<string, { code: string; bytes: (chain: TestChain) => Uint8Array }> = {
  'a block signed by a client of the zone': {
    code: 'PEER_BLOCK_UNSIGNED',
    bytes: (chain) => {
      const before = shortened(chain);
      const signer = { mspid: zone.mspid, identity: zone.client };
      return encodeBlockResponse(Block.encode(before.make([otherTransaction], { signer })));
    },
  },
  'a block signed by an organisation': {
    code: 'PEER_BLOCK_UNSIGNED',
    bytes: (chain) => {
      const signer = { mspid: orgs[0]!.mspid, identity: orgs[0]!.orderer };
      const block = shortened(chain).make([otherTransaction], { signer });
      return encodeBlockResponse(Block.encode(block));
    },
  },
  'a later block': {
    code: 'PEER_BLOCK_OUT_OF_ORDER',
    bytes: (chain) => encodeBlockResponse(Block.encode(chain.blocks[3]!)),
  },
  'a block on another block': {
    code: 'PEER_BLOCK_UNCHAINED',
    bytes: (chain) => {
      const header = { previousHash: dataHash([utf8('elsewhere')]) };
      const block = shortened(chain).make([otherTransaction], { header });
      return encodeBlockResponse(Block.encode(block));
    },
  },
  'a block with other transactions': {
    code: 'PEER_BLOCK_DATA_CHANGED',
    bytes: (chain) =>
      encodeBlockResponse(
        Block.encode({ ...good(chain), data: { data: [otherTransaction.envelope] } }),
      ),
  },
  'a block with four metadata entries': {
    code: 'PEER_BLOCK_METADATA_SHORT',
    bytes: (chain) => {
      const metadata = good(chain).metadata!.metadata.slice(0, 4);
      return encodeBlockResponse(Block.encode({ ...good(chain), metadata: { metadata } }));
    },
  },
  'half a block': {
    code: 'PEER_BLOCK_UNREADABLE',
    bytes: (chain) => encodeBlockResponse(Block.encode(good(chain))).slice(0, -40),
  },
  'an answer with nothing in it': { code: 'PEER_STREAM_REFUSED', bytes: () => emptyBytes },
  'a status': {
    code: 'PEER_STREAM_REFUSED',
    bytes: () => DeliverResponse.encode({ status: deliverStatuses.forbidden }),
  },
};

function shortened(chain: TestChain): TestChain {
  const before = new TestChain(network);
  before.blocks.push(chain.blocks[1]!);
  return before;
}

for (const [what, { code, bytes }] of Object.entries(hostile)) {
  t.test(`002-16 ${what} is not committed, said once, and asked for again`, async (t) => {
    const stage = await scene(t, newChain());
    const sent = bytes(stage.chain);
    stage.server.substitute = (block, seekCount) =>
      block.header?.number === 2n && seekCount < 3 ? sent : undefined;
    const { committed, lines, ask } = await runPeer(t, stage);
    await committed(3);
    t.same(
      stage.server.seeks.map(({ start }) => start),
      [1n, 2n, 2n],
      'it asked again for the same block',
    );
    t.equal(lines.with({ code }).length, 1, 'and said once why');
    t.equal(lines.with({ msg: 'A block is committed.' }).length, 3, 'three blocks, each once');
    const { body } = await ask('/v1/blocks/2?format=json');
    t.match(body, { transactions: [{ validationCode: { name: 'VALID' } }] });
  });
}

t.test('002-14 a signed block with another evidence root stops the peer for good', async (t) => {
  const chain = newChain(2);
  const request = requestOf(network, { key: 'k', value: 'v' });
  const evidence = { treeSize: 1n, rootHash: dataHash([utf8('another log')]) };
  chain.blocks.push(chain.make([bundleTransaction(network, [request])], { evidence }));
  const stage = await scene(t, chain);
  for (const attempt of ['first', 'second']) {
    const { peer, lines } = await runPeer(t, stage);
    await t.rejects(peer.stopped, { code: 'PEER_EVIDENCE_MISMATCH' }, `at the ${attempt} start`);
    t.equal(lines.with({ msg: 'A block is committed.', block: 2 }).length, 0, 'not committed');
  }
  t.same(
    stage.server.seeks.map(({ start }) => start),
    [1n, 2n],
  );
});

t.test('002-14 a signed block without an evidence root stops the peer', async (t) => {
  const chain = newChain(2);
  const request = requestOf(network, { key: 'k', value: 'v' });
  const transaction = bundleTransaction(network, [request]);
  chain.blocks.push(chain.make([transaction], { evidence: 'none' }));
  const { peer } = await runPeer(t, await scene(t, chain));
  await t.rejects(peer.stopped, { code: 'PEER_EVIDENCE_MISMATCH' });
});

t.test('002-15 a peer outlives its source of blocks and follows the next one', async (t) => {
  const stage = await scene(t, newChain());
  const { server, chain } = stage;
  const { committed, lines, ask } = await runPeer(t, stage);
  for (let last = 3; last < 7; last += 1) {
    await committed(last);
    server.kill();
    await lines.waitFor({ code: 'PEER_STREAM_BROKEN' }, last - 2);
    t.match(await ask('/v1/health'), { body: { height: last + 1, connected: false } });
    put(chain);
    await server.start();
  }
  await committed(7);
  t.match(await ask('/v1/health'), { body: { height: 8, connected: true } });
});

t.test('a refused peer waits twice as long each time, and anew after a block', async (t) => {
  const stage = await scene(t, newChain(3));
  const { seeks } = stage.server;
  const refusal = DeliverResponse.encode({ status: deliverStatuses.serviceUnavailable });
  stage.server.substitute = (block, seekCount) =>
    [1, 2, 3, 5].includes(seekCount) || (seekCount === 4 && block.header?.number === 2n)
      ? refusal
      : undefined;
  const { committed } = await runPeer(t, stage);
  await committed(2);
  t.same(
    seeks.map(({ start }) => start),
    [1n, 1n, 1n, 1n, 2n, 2n],
  );
  const waits = seeks.slice(1).map(({ atMs }, index) => atMs - (seeks[index]?.atMs ?? 0));
  // A timer may end a little early, and anything may take longer: what is too short is wrong.
  for (const [index, leastMs] of [100, 200, 400, 100, 200].entries()) {
    t.ok((waits[index] ?? 0) > leastMs - 5, `wait ${index + 1}: ${waits[index]} ms`);
  }
  t.ok((waits[3] ?? Infinity) < 400 + (waits[2] ?? 0), 'the block made it short again');
});

t.test('a source whose certificate is of another authority is not asked for blocks', async (t) => {
  const stage = await scene(t, newChain());
  const { certificateFile } = stage.place.config.identity;
  const deliver = { ...stage.place.config.deliver, caFile: certificateFile };
  const { lines } = await runPeer(t, stage, { deliver });
  await lines.waitFor({ code: 'PEER_STREAM_BROKEN' });
  t.same(stage.server.seeks, []);
});

t.test('a peer that is closed in mid-stream holds nothing open', async (t) => {
  const stage = await scene(t, newChain(12));
  const { peer } = await runPeer(t, stage);
  await peer.close();
  await t.resolves(peer.stopped);
  const { committed, ask } = await runPeer(t, stage);
  await committed(11);
  t.match(await ask('/v1/health'), { body: { height: 12 } }, 'another one can take its place');
});
