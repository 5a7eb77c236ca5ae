/** What Go's protobuf decoder (google.golang.org/protobuf) takes, refuses and writes back. */
import t from 'tap';
import { concatBytes, emptyBytes, toHex, utf8 } from '#base';
import {
  Block,
  BlockHeader,
  ChaincodeSpec,
  ChannelHeader,
  ConfigGroup,
  ConfigUpdate,
  Envelope,
  KvRead,
  KvWrite,
  OrdererBlockMetadata,
  Payload,
  SignaturePolicy,
  SeekPosition,
  StateData,
  Timestamp,
  ChaincodeInput,
} from '#formats';

function hex(digits: string): Uint8Array {
  return Uint8Array.from(Buffer.from(digits.replaceAll(' ', ''), 'hex'));
}

const invalid = { code: 'FORMATS_PROTOBUF_INVALID' };
const notCanonical = { code: 'FORMATS_PROTOBUF_NOT_CANONICAL' };

t.test('an empty message that is there differs from one that is not', async (t) => {
  const absent = { key: 'k', version: undefined };
  const zero = { key: 'k', version: { blockNum: 0n, txNum: 0n } };
  t.equal(toHex(KvRead.encode(absent)), '0a016b');
  t.equal(toHex(KvRead.encode(zero)), '0a016b1200');
  t.strictSame(KvRead.decode(hex('0a016b')), absent);
  t.strictSame(KvRead.decode(hex('0a016b1200')), zero);
  t.equal(toHex(OrdererBlockMetadata.encode({ lastConfig: { index: 0n } })), '0a00');
});

t.test('a oneof member is written though it is empty', async (t) => {
  t.equal(toHex(StateData.encode({ bytes: emptyBytes })), '1200');
  t.equal(toHex(StateData.encode({ int64: 0n })), '0800');
  t.equal(toHex(StateData.encode({ string: '' })), '1a00');
  t.equal(toHex(StateData.encode({})), '');
  t.strictSame(StateData.decode(hex('1200')), {
    int64: undefined,
    bytes: emptyBytes,
    string: undefined,
  });
  t.equal(toHex(SignaturePolicy.encode({ signedBy: 0 })), '0800');
  t.equal(toHex(SeekPosition.encode({ oldest: {} })), '1200');
});

t.test('the last member of a oneof on the wire is the one that is set', async (t) => {
  const last = StateData.decode(hex('0805 12 0178'));
  t.strictSame(last, { int64: undefined, bytes: utf8('x'), string: undefined });
  t.strictSame(StateData.decode(hex('12 0178 0805')).bytes, undefined);
});

t.test('numbers of 64 bits are exact', async (t) => {
  const most = 2n ** 64n - 1n;
  const header = { number: most, previousHash: emptyBytes, dataHash: emptyBytes };
  t.equal(toHex(BlockHeader.encode(header)), '08ffffffffffffffffff01');
  t.equal(BlockHeader.decode(hex('08ffffffffffffffffff01')).number, most);
  for (const number of [2n ** 53n, 2n ** 53n + 1n, 2n ** 63n, 2n ** 63n - 1n, 127n, 128n]) {
    t.equal(BlockHeader.decode(BlockHeader.encode({ number })).number, number, `${number}`);
  }
  for (const seconds of [-1n, -(2n ** 63n), 2n ** 63n - 1n]) {
    t.equal(Timestamp.decode(Timestamp.encode({ seconds })).seconds, seconds, `${seconds}`);
  }
});

t.test('a negative int32 takes ten bytes and is read back from fewer', async (t) => {
  t.equal(toHex(Timestamp.encode({ nanos: -1 })), '10ffffffffffffffffff01');
  t.equal(Timestamp.decode(hex('10ffffffffffffffffff01')).nanos, -1);
  t.equal(Timestamp.decode(hex('10ffffffff0f')).nanos, -1, 'the low 32 bits decide');
  t.equal(ChannelHeader.decode(hex('08 8380808010')).type, 3, 'bits above 32 are cut off');
});

t.test('a bool is any varint that is not zero', async (t) => {
  t.equal(KvWrite.decode(hex('1002')).isDelete, true);
  t.equal(KvWrite.decode(hex('10808080808001')).isDelete, true);
  t.equal(KvWrite.decode(hex('108000')).isDelete, false);
});

t.test('of a scalar given twice the last wins, messages given twice are merged', async (t) => {
  t.strictSame(Envelope.decode(hex('0a0161 0a0162')).payload, utf8('b'));
  const merged = Payload.decode(hex('0a030a0161 0a03120162'));
  t.strictSame(merged.header, { channelHeader: utf8('a'), signatureHeader: utf8('b') });
  const input = '0a03 0a0161';
  const spec = ChaincodeSpec.decode(hex(`1a05 ${input} 1a05 ${input}`));
  t.equal(spec.input?.args.length, 2, 'lists of merged messages are joined');
});

t.test('a map entry given twice is replaced whole, and may lack its parts', async (t) => {
  const entry = (value: string) => field(0x12, concatBytes(hex('0a0161'), field(0x12, hex(value))));
  const twice = ConfigGroup.decode(concatBytes(entry('0801'), entry('2a0178')));
  t.equal(twice.groups.size, 1);
  t.equal(twice.groups.get('a')?.version, 0n);
  t.equal(twice.groups.get('a')?.modPolicy, 'x');
  const bare = ConfigGroup.decode(hex('1200'));
  t.equal(bare.groups.get('')?.version, 0n, 'no key and no value');
});

t.test('a map entry is written with its key and value, also when they are empty', async (t) => {
  const groups = new Map([['', ConfigGroup.initial()]]);
  t.equal(toHex(ConfigGroup.encode({ groups })), '12040a001200');
  const decorations = [{ key: '', value: emptyBytes }];
  t.equal(toHex(ChaincodeInput.encode({ decorations })), '12040a001200');
});

t.test('unknown fields of every wire type are skipped', async (t) => {
  const unknown = [
    '1801',
    '19 0102030405060708',
    '1a0161',
    '1d 01020304',
    '1b 0801 1c',
    '1b 23 24 1c',
  ];
  for (const field of unknown) {
    const bytes = concatBytes(hex(field), hex('0a0161'), hex(field));
    t.strictSame(Envelope.decode(bytes).payload, utf8('a'), field);
    t.throws(() => Envelope.decodeCanonical(bytes), notCanonical, `${field} is not canonical`);
  }
});

t.test('a known field in another wire type is an unknown field', async (t) => {
  t.strictSame(Envelope.decode(hex('0801 0d01020304 0b0c')), Envelope.initial());
});

t.test('what Go refuses is refused', async (t) => {
  const refused: Record<string, string> = {
    'tag cut short': '8a',
    'length cut short': '0a80',
    'value cut short': '0a0261',
    'length past the end': '0affffffff0f',
    'length of 64 bits': '0affffffffffffffffff01',
    'field number zero': '0001',
    'field number zero with bytes': '020161',
    'field number over 2^29 - 1': '8080808010 01',
    'varint of eleven bytes': '1880808080808080808080 01',
    'varint over 64 bits': '18ffffffffffffffffff02',
    'fixed32 cut short': '1d010203',
    'fixed64 cut short': '1901020304050607',
    'wire type six': '1e',
    'wire type seven': '1f',
    'group never closed': '1b',
    'group closed by another': '1b24',
    'group closed that was not open': '1c',
    'group with a broken field': '1b0aff',
    'field number zero in a group': '1b00011c',
  };
  for (const [why, digits] of Object.entries(refused)) {
    t.throws(() => Envelope.decode(hex(digits)), invalid, why);
  }
});

t.test('a string that is not UTF-8 is refused, long or short', async (t) => {
  for (const digits of ['ff', 'c0af', 'eda080', 'c3', 'f4908080']) {
    const bytes = hex(digits);
    for (const padding of [0, 100]) {
      const text = concatBytes(new Uint8Array(padding).fill(97), bytes);
      const field = concatBytes(Uint8Array.of(0x0a, text.length), text);
      t.throws(() => KvRead.decode(field), invalid, `${digits} after ${padding} letters`);
    }
  }
  t.equal(KvRead.decode(hex('0a03efbbbf')).key, '\ufeff', 'a byte-order mark is text');
});

t.test('a longer varint than needed is read, but not canonical', async (t) => {
  const padded = ['0a8100 61', '8a00 0161'];
  for (const digits of padded) {
    t.strictSame(Envelope.decode(hex(digits)).payload, utf8('a'));
    t.throws(() => Envelope.decodeCanonical(hex(digits)), notCanonical);
  }
});

t.test(
  'canonical means field order, no repetition, no zero written, no unknown field',
  async (t) => {
    const good = hex('0a0161120162');
    t.strictSame(Envelope.decodeCanonical(good), { payload: utf8('a'), signature: utf8('b') });
    const others = ['1201620a0161', '0a01610a0161', '0a00', '0a01611801', '0a0161120162120162'];
    for (const digits of others) {
      t.throws(() => Envelope.decodeCanonical(hex(digits)), notCanonical, digits);
    }
  },
);

t.test('groups nest as deep as Go lets them and no deeper, without using the stack', async (t) => {
  const groups = (count: number) =>
    concatBytes(new Uint8Array(count).fill(0x1b), new Uint8Array(count).fill(0x1c));
  t.strictSame(Envelope.decode(groups(10_001)), Envelope.initial());
  t.throws(() => Envelope.decode(groups(10_002)), invalid);
});

t.test('messages nest to a bound', async (t) => {
  const nested = (depth: number) => {
    let bytes = ConfigGroup.encode({ version: 1n });
    for (let level = 0; level < depth; level += 1) {
      bytes = field(0x12, concatBytes(hex('0a0161'), field(0x12, bytes)));
    }
    return field(0x12, bytes);
  };
  t.doesNotThrow(() => ConfigUpdate.decode(nested(40)));
  t.throws(() => ConfigUpdate.decode(nested(60)), invalid);
});

t.test('bytes read are views of what was given, and never Buffers', async (t) => {
  const given = Buffer.from('0a0161', 'hex');
  const { payload } = Envelope.decode(given);
  t.notOk(payload instanceof Buffer);
  t.equal(payload.buffer, given.buffer);
});

t.test('results do not overwrite each other, whatever their size', async (t) => {
  const sizes = [0, 1, 100, 5_000, 20_000, 40_000, 3, 200_000, 70_000, 9];
  const made = sizes.map((size) => Envelope.encode({ payload: new Uint8Array(size).fill(size) }));
  for (const [index, size] of sizes.entries()) {
    const { payload } = Envelope.decode(made[index] ?? emptyBytes);
    t.strictSame(payload, new Uint8Array(size).fill(size), `${size} bytes`);
  }
});

t.test('a message that cannot be encoded leaves nothing in the next', async (t) => {
  t.throws(() => Block.encode({ data: { data: [utf8('a'), undefined as never] } }));
  t.equal(toHex(Envelope.encode({ payload: utf8('a') })), '0a0161');
});

function field(tag: number, content: Uint8Array): Uint8Array {
  const { length } = content;
  const prefix = length < 128 ? [tag, length] : [tag, (length & 127) | 128, length >> 7];
  return concatBytes(Uint8Array.from(prefix), content);
}
