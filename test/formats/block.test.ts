import t from 'tap';
import { concatBytes, emptyBytes, toHex, utf8 } from '#base';
import { sha256 } from '#crypto';
import {
  Block,
  ChannelHeader,
  Envelope,
  Metadata,
  OrdererBlockMetadata,
  Payload,
  blockMetadata,
  blockSignatureInput,
  checkWellFormed,
  consenterMetadata,
  dataHash,
  headerDer,
  headerHash,
  headerTypes,
  isConfigBlock,
  lastConfigIndex,
  signaturesMetadata,
  signaturesValue,
} from '#formats';

const previousHash = sha256(utf8('prev'));
const hashes = toHex(previousHash);
const rest = `0420${hashes}04203a6eb0790f39ac87c94f3856b2dd2c5d110e6811602261a9a923d3bb23adc8b7`;

/** Made with Fabric's protoutil.BlockHeaderBytes; previous hash and data hash of 'prev' and 'data'. */
const vectors = [
  [1n, `3047020101${rest}`, '0ac40147e376383d6846af140c13e47a67d2283166d4e691c8c7be6a7d0a20c9'],
  [128n, `304802020080${rest}`, '7f346625b18934ec57f60c91ac74cbb1a5e0baeb9cf6803241a64b441233343e'],
  [
    2n ** 64n - 1n,
    `304f020900ffffffffffffffff${rest}`,
    '0ea1396492d3c3b29b33f35142116c674bf3295afd9fa5d38f618a2ec6ca601e',
  ],
] as const;

t.test('block headers hash as Fabric hashes them', async (t) => {
  for (const [number, der, hash] of vectors) {
    const header = { number, previousHash, dataHash: sha256(utf8('data')) };
    t.equal(toHex(headerDer(header)), der, `DER of ${number}`);
    t.equal(toHex(headerHash(header)), hash, `hash of ${number}`);
  }
  const genesis = { number: 0n, previousHash: emptyBytes, dataHash: sha256(utf8('genesis')) };
  t.equal(
    toHex(headerDer(genesis)),
    '302702010004000420aeebad4a796fcc2e15dc4c6061b45ed9b373f26adfc798ca7d2d8cc58182718e',
  );
  t.equal(
    toHex(headerHash(genesis)),
    '506a957292c63f0f85b774fc1feab49d1b04b6ea8b4c081d96c49041baf8296e',
  );
});

t.test('a header with hashes of any length keeps to DER', async (t) => {
  const long = { number: 0n, previousHash: new Uint8Array(300), dataHash: emptyBytes };
  t.equal(toHex(headerDer(long)).slice(0, 22), '308201350201000482012c');
});

t.test('the data hash joins envelopes without lengths', async (t) => {
  t.strictSame(dataHash([utf8('a'), utf8('bc')]), sha256(utf8('abc')));
});

t.test('the block signature covers value, signature header and header', async (t) => {
  const header = { number: 7n, previousHash, dataHash: previousHash };
  t.strictSame(
    blockSignatureInput(utf8('value'), utf8('sighdr'), header),
    concatBytes(utf8('valuesighdr'), headerDer(header)),
  );
});

t.test('metadata has the five entries of a stock orderer and reads back', async (t) => {
  const facts = {
    lastConfigIndex: 0n,
    consenterMetadata: { treeSize: 9n, rootHash: previousHash },
  };
  const value = signaturesValue(facts);
  const signature = {
    signatureHeader: utf8('h'),
    signature: utf8('s'),
    identifierHeader: emptyBytes,
  };
  const metadata = blockMetadata(facts, value, [signature]);
  t.equal(metadata.length, 5);
  t.equal(toHex(metadata[1] ?? previousHash), '', 'LastConfig{0} is an empty value');
  t.equal(toHex(value).slice(0, 4), '0a00', 'last_config is present though its index is zero');
  const block = Block.decode(Block.encode({ metadata: { metadata } }));
  t.equal(lastConfigIndex(block), 0n);
  t.strictSame(consenterMetadata(block), facts.consenterMetadata);
  t.strictSame(signaturesMetadata(block).signatures, [signature]);
});

t.test(
  'a block without metadata, or without a last config, is malformed and no crash',
  async (t) => {
    const bare = { ...Block.initial(), metadata: { metadata: [] } };
    t.throws(() => lastConfigIndex(bare), { code: 'FORMATS_BLOCK_MALFORMED' });
    t.throws(() => lastConfigIndex(Block.initial()), { code: 'FORMATS_BLOCK_MALFORMED' });
    const value = OrdererBlockMetadata.encode({ consenterMetadata: emptyBytes });
    const empty = { ...bare, metadata: { metadata: [Metadata.encode({ value })] } };
    t.throws(() => lastConfigIndex(empty), { code: 'FORMATS_BLOCK_MALFORMED' });
    t.equal(consenterMetadata(empty), undefined);
  },
);

function blockOf(...data: Uint8Array[]): Block {
  return { ...Block.initial(), data: { data } };
}

const envelope = Envelope.encode({ payload: utf8('payload'), signature: utf8('signature') });

t.test('what stock peers take as well formed is taken', async (t) => {
  checkWellFormed(blockOf(envelope, envelope));
  const long = Envelope.encode({ payload: new Uint8Array(200), signature: new Uint8Array(128) });
  checkWellFormed(blockOf(long));
  // Go writes unknown fields back behind the known ones, so these re-encode to themselves.
  const unknownTails = ['1801', '1a0161', '0801', '2b2c', '98800001'];
  for (const tail of unknownTails) {
    t.doesNotThrow(() => checkWellFormed(blockOf(concatBytes(envelope, hex(tail)))), tail);
  }
});

t.test('what stock peers refuse as a whole block is refused', async (t) => {
  const refused: [string, Uint8Array][] = [
    ['no payload', Envelope.encode({ signature: utf8('s') })],
    ['no signature', Envelope.encode({ payload: utf8('p') })],
    ['empty', emptyBytes],
    ['empty payload written out', hex('0a00120173')],
    ['empty signature written out', hex('0a01701200')],
    ['signature first', hex('1201730a0170')],
    ['length not minimal', hex('0a810070120173')],
    ['tag not minimal', hex('8a000170120173')],
    ['repeated payload', hex('0a01701201730a0170')],
    ['unknown field first', hex('18010a0170120173')],
    ['truncated', envelope.subarray(0, -1)],
    ['trailing byte', concatBytes(envelope, hex('00'))],
    ['group left open', concatBytes(envelope, hex('2b'))],
  ];
  for (const [why, raw] of refused) {
    t.throws(
      () => checkWellFormed(blockOf(envelope, raw)),
      { code: 'FORMATS_BLOCK_MALFORMED' },
      why,
    );
  }
  t.throws(() => checkWellFormed(blockOf()), { code: 'FORMATS_BLOCK_MALFORMED' });
  t.throws(() => checkWellFormed(Block.initial()), { code: 'FORMATS_BLOCK_MALFORMED' });
});

t.test('a configuration is exempt from the form only when it is alone in its block', async (t) => {
  const channelHeader = ChannelHeader.encode({ type: headerTypes.config });
  const payload = Payload.encode({ header: { channelHeader, signatureHeader: emptyBytes } });
  const unsigned = Envelope.encode({ payload });
  t.ok(isConfigBlock(blockOf(unsigned)));
  checkWellFormed(blockOf(unsigned));
  t.notOk(isConfigBlock(blockOf(unsigned, envelope)));
  t.throws(() => checkWellFormed(blockOf(unsigned, envelope)), { code: 'FORMATS_BLOCK_MALFORMED' });
});

function hex(digits: string): Uint8Array {
  return Uint8Array.from(Buffer.from(digits, 'hex'));
}
