import t from 'tap';
import { emptyBytes, toHex, utf8 } from '#base';
import {
  Block,
  DeliverResponse,
  blockMetadata,
  dataHash,
  encodeBlockResponse,
  headerView,
  ordererView,
  signaturesValue,
} from '#formats';
import { fuzz } from '../crypto/fuzzing.ts';

const facts = { lastConfigIndex: 0n };
const asOrdered = blockOf([utf8('a'), utf8('b'.repeat(70_000))], (metadata) => metadata);
const asCommitted = blockOf([utf8('a'), utf8('b'.repeat(70_000))], (metadata) =>
  metadata.map((entry, index) => (index === 2 || index === 4 ? utf8('filled in') : entry)),
);

function blockOf(data: Uint8Array[], change: (metadata: Uint8Array[]) => Uint8Array[]): Uint8Array {
  return Block.encode({
    header: { number: 3n, previousHash: new Uint8Array(32), dataHash: dataHash(data) },
    data: { data },
    metadata: { metadata: change(blockMetadata(facts, signaturesValue(facts), [])) },
  });
}

t.test('what a committer filled in is blank in the view of an orderer', async (t) => {
  t.equal(toHex(ordererView(asCommitted)), toHex(asOrdered));
  t.equal(ordererView(asOrdered), asOrdered, 'and nothing is copied where nothing was filled in');
});

t.test('header and data are passed on in whatever encoding they are stored', async (t) => {
  // An unknown field in the header, a length in more bytes than needed.
  const header = Uint8Array.of(0x0a, 0x84, 0x00, 0x08, 0x01, 0x78, 0x05);
  const filled = Uint8Array.of(0x1a, 0x08, 0x0a, 0x00, 0x0a, 0x00, 0x0a, 0x02, 0x08, 0x00);
  const view = ordererView(Uint8Array.from([...header, ...filled]));
  t.equal(toHex(view), '0a040801780512001a060a000a000a00');
});

t.test('the view of headers has no data', async (t) => {
  const whole = Block.decode(asOrdered);
  t.strictSame(Block.decode(headerView(asCommitted)), { ...whole, data: undefined });
});

t.test('a block’s response is what the codec would make of it', async (t) => {
  for (const block of [emptyBytes, asOrdered, blockOf([utf8('x'.repeat(20))], (one) => one)]) {
    const response = DeliverResponse.encode({ block: Block.decode(block) });
    t.equal(toHex(encodeBlockResponse(block)), toHex(response));
  }
});

t.test('whatever bytes are stored, only faults come out', async (t) => {
  const small = blockOf([utf8('a')], (metadata) => metadata.map(() => utf8('filled in')));
  for (const [seed, view] of [ordererView, headerView].entries()) {
    const { escaped, refused } = fuzz(view, small, { seed, rounds: 2_000 });
    t.strictSame(escaped, []);
    t.ok(refused > 0);
  }
});
