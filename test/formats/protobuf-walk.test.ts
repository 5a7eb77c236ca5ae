import t from 'tap';
import { Fault, equalBytes } from '#base';
import * as formats from '#formats';
import type { Message } from '#formats';
import { isSurelyCanonical } from '../../formats/protobuf-walk.ts';
import { oracleOf } from './fabric-oracle.ts';
import { randomValue } from './protobuf-values.ts';
import type { Value } from './protobuf-values.ts';
import { SeededRandom } from './random.ts';
import { bundleEnvelope } from './sample.ts';

const random = new SeededRandom(20261121);

function isMessage(exported: unknown): exported is Message<Value> {
  return typeof exported === 'object' && exported !== null && 'decodeCanonical' in exported;
}

const messages = Object.values(formats).filter(isMessage);

/** What the bytes say, or undefined when they are malformed. */
function valueOf(message: Message<Value>, bytes: Uint8Array): Value | undefined {
  try {
    return message.decode(bytes);
  } catch (error) {
    if (error instanceof Fault) return undefined;
    throw error;
  }
}

t.test(
  'no bytes pass the walk that do not decode, or that encoding would not give back',
  async (t) => {
    let passed = 0;
    let decoded = 0;
    for (const message of messages) {
      for (let count = 0; count < 250; count += 1) {
        const bytes = message.encode(randomValue(random, message, oracleOf(message)));
        const mutated = random.chance(90) ? random.mutate(bytes) : bytes;
        const value = valueOf(message, mutated);
        if (value !== undefined) decoded += 1;
        if (!isSurelyCanonical(message, mutated)) continue;
        passed += 1;
        if (value === undefined || !equalBytes(message.encode(value), mutated)) {
          t.fail(`${message.name} ${Buffer.from(mutated).toString('hex')}`);
        }
      }
    }
    t.ok(passed > 1_000 && decoded - passed > 1_000, `${passed} of ${decoded} pass`);
  },
);

t.test(
  'the walk takes a numbers longest form, a zero and a wrong order for what they are',
  async (t) => {
    const refused: [name: string, type: Message<never>, hex: string][] = [
      ['a length of two bytes where one does', formats.KvRead as never, '0a81006b'],
      ['a tag of two bytes', formats.KvRead as never, '8a00016b'],
      ['an empty string written down', formats.KvRead as never, '0a00'],
      ['a field twice', formats.KvRead as never, '0a016b0a016b'],
      ['fields in the wrong order', formats.KvRead as never, '12000a016b'],
      ['an unknown field', formats.KvRead as never, '0a016b7801'],
      ['a bool of two', formats.KvWrite as never, '0a016b1002'],
      ['a bool of zero', formats.KvWrite as never, '0a016b1000'],
      ['an int32 beyond 32 bits', formats.ChannelHeader as never, '088380808010'],
      ['two of a oneof', formats.StateData as never, '0805120178'],
      ['a zero inside a nested message', formats.KvRead as never, '0a016b12020800'],
    ];
    for (const [name, type, hex] of refused) {
      const bytes = Uint8Array.from(Buffer.from(hex, 'hex'));
      t.ok(type.decode(bytes), `${name}: it decodes`);
      t.notOk(isSurelyCanonical(type, bytes), name);
      t.throws(() => type.decodeCanonical(bytes), { code: 'FORMATS_PROTOBUF_NOT_CANONICAL' }, name);
    }
  },
);

t.test('the walk takes no number beyond 64 bits, no bad text and no endless nesting', async (t) => {
  const refused: [name: string, type: Message<never>, hex: string][] = [
    ['a number beyond 64 bits', formats.Version as never, '08ffffffffffffffffff02'],
    ['a number of eleven bytes', formats.Version as never, '08ffffffffffffffffffff01'],
    ['half of a character', formats.KvRead as never, '0a0261c3'],
    ['half of a surrogate pair', formats.KvRead as never, '0a03eda080'],
    ['a length beyond the end', formats.KvRead as never, '0a056b'],
    ['a tag alone', formats.KvRead as never, '0a'],
  ];
  for (const [name, type, hex] of refused) {
    const bytes = Uint8Array.from(Buffer.from(hex, 'hex'));
    t.throws(() => type.decode(bytes), { code: 'FORMATS_PROTOBUF_INVALID' }, name);
    t.notOk(isSurelyCanonical(type, bytes), name);
  }
  const largest = Uint8Array.from(Buffer.from('08ffffffffffffffffff01', 'hex'));
  t.ok(isSurelyCanonical(formats.Version, largest));
  t.ok(isSurelyCanonical(formats.KvRead, formats.KvRead.encode({ key: 'schlüssel 鍵 🔑' })));
  const policyIn = (levels: number) => {
    let policy: Uint8Array = formats.SignaturePolicy.encode({ signedBy: 1 }).slice();
    for (let level = 0; level < levels; level += 1) {
      // A rule in `rules`, and these in `n_out_of`: both are field 2, as `rwset` is.
      const rules = formats.NsReadWriteSet.encode({ rwset: policy });
      policy = formats.NsReadWriteSet.encode({ rwset: rules }).slice();
    }
    return policy;
  };
  t.ok(isSurelyCanonical(formats.SignaturePolicy, policyIn(40)));
  t.throws(() => formats.SignaturePolicy.decode(policyIn(60)), {
    code: 'FORMATS_PROTOBUF_INVALID',
  });
  t.notOk(isSurelyCanonical(formats.SignaturePolicy, policyIn(60)));
});

t.test('a plain read-write set is one without metadata', async (t) => {
  const writes = [{ key: 'k', isDelete: false, value: Uint8Array.of(1) }];
  const reads = [{ key: 'k', version: { blockNum: 7n, txNum: 0n } }];
  t.ok(formats.isPlainRwSet(formats.KvRwSet.encode({ reads, writes })));
  t.ok(formats.isPlainRwSet(new Uint8Array(0)));
  const metadataWrites = [{ key: 'k', entries: [] }];
  t.notOk(formats.isPlainRwSet(formats.KvRwSet.encode({ writes, metadataWrites })));
});

t.test('the walk is sure of what a bundle is made of', async (t) => {
  const { envelope } = bundleEnvelope();
  const { payload } = formats.Envelope.decode(envelope);
  const { data } = formats.Payload.decode(payload);
  t.ok(isSurelyCanonical(formats.Envelope, envelope));
  t.ok(isSurelyCanonical(formats.Payload, payload));
  t.ok(isSurelyCanonical(formats.Transaction, data));
  const { endorsed } = formats.parseTransaction(envelope);
  t.ok(isSurelyCanonical(formats.ProposalResponsePayload, endorsed!.proposalResponsePayload));
  t.ok(isSurelyCanonical(formats.TxReadWriteSet, endorsed!.action.results));
  t.ok(isSurelyCanonical(formats.BundleResult, endorsed!.action.response!.payload));
});
