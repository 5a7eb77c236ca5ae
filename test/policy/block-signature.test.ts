import t from 'tap';
import { emptyBytes, utf8 } from '#base';
import {
  SignatureHeader,
  blockMetadata,
  blockSignatureInput,
  dataHash,
  signaturesValue,
} from '#formats';
import type { Block, BlockHeader } from '#formats';
import { ChannelConfig, buildGenesisBlock } from '#policy';
import type { TestIdentity } from './test-ca.ts';
import { testNetwork } from './test-channel.ts';

const { spec, zone, orgs } = await testNetwork(1);
const config = ChannelConfig.fromBlock(buildGenesisBlock(spec));
const data = [utf8('a transaction')];
const header: BlockHeader = {
  number: 1n,
  previousHash: new Uint8Array(32),
  dataHash: dataHash(data),
};
const facts = { lastConfigIndex: 0n, consenterMetadata: { treeSize: 1n, rootHash: utf8('root') } };

function signatureBy(identity: TestIdentity, mspid = zone.mspid, over = header) {
  const signatureHeader = SignatureHeader.encode({
    creator: identity.serialized(mspid),
    nonce: new Uint8Array(24),
  });
  const input = blockSignatureInput(signaturesValue(facts), signatureHeader, over);
  return { signatureHeader, signature: identity.sign(input), identifierHeader: emptyBytes };
}

function blockWith(...signatures: ReturnType<typeof signatureBy>[]): Block {
  const metadata = blockMetadata(facts, signaturesValue(facts), signatures);
  return { header, data: { data }, metadata: { metadata } };
}

t.test("002-16 a block with the zone's ordering signature is right", async (t) => {
  t.ok(config.verifyBlockSignature(blockWith(signatureBy(zone.orderer))));
});

t.test('a block without signature is wrong, and so is the genesis block', async (t) => {
  t.notOk(config.verifyBlockSignature(blockWith()));
  t.notOk(config.verifyBlockSignature(buildGenesisBlock(spec)));
});

t.test('a signature of another role, or of another organisation, is wrong', async (t) => {
  t.notOk(config.verifyBlockSignature(blockWith(signatureBy(zone.peer))));
  t.notOk(config.verifyBlockSignature(blockWith(signatureBy(zone.admin))));
  const [org] = orgs;
  t.notOk(config.verifyBlockSignature(blockWith(signatureBy(org!.orderer, org!.mspid))));
  t.notOk(config.verifyBlockSignature(blockWith(signatureBy(org!.orderer))));
});

t.test('a signature over another block or another evidence log is wrong', async (t) => {
  const other = { ...header, number: 2n };
  const signature = signatureBy(zone.orderer, zone.mspid, other);
  t.notOk(config.verifyBlockSignature(blockWith(signature)));
  const good = blockWith(signatureBy(zone.orderer));
  t.notOk(config.verifyBlockSignature({ ...good, header: other }));
  const otherFacts = { lastConfigIndex: 1n };
  const metadata = blockMetadata(otherFacts, signaturesValue(otherFacts), [
    signatureBy(zone.orderer),
  ]);
  t.notOk(config.verifyBlockSignature({ ...good, metadata: { metadata } }));
});

t.test('one good signature among bad ones is enough', async (t) => {
  const bad = { ...signatureBy(zone.orderer), signature: utf8('bad') };
  t.ok(config.verifyBlockSignature(blockWith(bad, signatureBy(zone.orderer))));
});

t.test('a signature header that is no message spoils the block, as in Fabric', async (t) => {
  const unreadable = { ...signatureBy(zone.orderer), signatureHeader: utf8('\u0007garbage') };
  t.notOk(config.verifyBlockSignature(blockWith(signatureBy(zone.orderer), unreadable)));
});

t.test('a block that lacks its parts is wrong', async (t) => {
  const good = blockWith(signatureBy(zone.orderer));
  for (const block of [
    { ...good, header: undefined },
    { ...good, metadata: undefined },
    { ...good, metadata: { metadata: [] } },
    { ...good, metadata: { metadata: [utf8('\u0007garbage')] } },
  ]) {
    t.notOk(config.verifyBlockSignature(block));
  }
});

t.test('two managers can be made to sign every block', async (t) => {
  const blockValidation = `AND('${zone.mspid}.orderer', '${zone.mspid}.orderer')`;
  const strict = ChannelConfig.fromBlock(buildGenesisBlock({ ...spec, blockValidation }));
  const second = await zone.ca.issue('orderer2', { units: ['orderer'] });
  const [one, two] = [signatureBy(zone.orderer), signatureBy(second)];
  t.notOk(strict.verifyBlockSignature(blockWith(one)));
  t.notOk(strict.verifyBlockSignature(blockWith(one, one)));
  t.ok(strict.verifyBlockSignature(blockWith(one, two)));
});
