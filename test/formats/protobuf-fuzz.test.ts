import t from 'tap';
import { Fault, equalBytes } from '#base';
import * as formats from '#formats';
import type { Message } from '#formats';
import { oracleOf } from './fabric-oracle.ts';
import { randomValue } from './protobuf-values.ts';
import type { Value } from './protobuf-values.ts';
import { SeededRandom } from './random.ts';
import { bundleEnvelope } from './sample.ts';

const random = new SeededRandom(20260303);

function isMessage(exported: unknown): exported is Message<Value> {
  return typeof exported === 'object' && exported !== null && 'decodeCanonical' in exported;
}

const messages = Object.values(formats).filter(isMessage);

/** Runs what may refuse its input; anything but a Fault is a failure of the test. */
function refuses(read: () => unknown): boolean {
  try {
    read();
    return false;
  } catch (error) {
    if (error instanceof Fault) return true;
    throw error;
  }
}

t.test('mutated messages of every table are read or end in a fault', async (t) => {
  let refused = 0;
  let read = 0;
  for (const message of messages) {
    for (let count = 0; count < 40; count += 1) {
      const bytes = message.encode(randomValue(random, message, oracleOf(message)));
      const mutated = random.mutate(bytes);
      if (refuses(() => message.decode(mutated))) refused += 1;
      else read += 1;
    }
  }
  t.ok(refused > 500 && read > 500, `${refused} refused, ${read} read`);
});

t.test('what is canonical encodes to itself, whatever the mutation', async (t) => {
  const [message] = messages.filter(({ name }) => name === 'protos.ChaincodeAction');
  if (message === undefined) throw new Error('the table is missing');
  for (let count = 0; count < 3_000; count += 1) {
    const bytes = message.encode(randomValue(random, message, oracleOf(message)));
    const mutated = random.chance(80) ? random.mutate(bytes) : bytes;
    let value: Value | undefined;
    refuses(() => (value = message.decodeCanonical(mutated)));
    if (value !== undefined && !equalBytes(message.encode(value), mutated)) t.fail('not canonical');
  }
});

t.test('random bytes are read or end in a fault', async (t) => {
  let refused = 0;
  for (let count = 0; count < 3_000; count += 1) {
    const bytes = random.bytes(random.below(60));
    for (const message of [formats.Block, formats.ConfigGroup, formats.SignaturePolicy]) {
      if (refuses(() => message.decode(bytes))) refused += 1;
    }
  }
  t.ok(refused > 1_000, `${refused} refused`);
});

t.test('mutated envelopes, blocks and definitions end in a fault or are read', async (t) => {
  const { envelope } = bundleEnvelope();
  let refused = 0;
  for (let count = 0; count < 2_000; count += 1) {
    const mutated = random.mutate(envelope);
    const block = { ...formats.Block.initial(), data: { data: [mutated] } };
    const outcomes = [
      refuses(() => formats.bundleOf(formats.parseTransaction(mutated))),
      refuses(() => formats.checkWellFormed(block)),
      refuses(() => formats.parseRwSet(random.mutate(formats.encodeRwSet({ namespaces: [] })))),
    ];
    if (outcomes.includes(true)) refused += 1;
  }
  t.ok(refused > 500, `${refused} refused`);
  const writes = formats.definitionWrites({
    name: 'notary',
    version: '1',
    sequence: 1n,
    applicationPolicy: formats.ApplicationPolicy.encode({
      channelConfigPolicyReference: '/Channel/Application/Endorsement',
    }),
  });
  for (let count = 0; count < 1_000; count += 1) {
    const at = random.below(writes.length);
    const hostile = writes.map((one, index) =>
      index === at ? { ...one, value: random.mutate(one.value) } : one,
    );
    refuses(() => formats.checkLifecycleWrites(hostile));
    const state = new Map(hostile.map(({ key, value }) => [key, value]));
    refuses(() => formats.readDefinition('notary', (key) => state.get(key)));
  }
});
