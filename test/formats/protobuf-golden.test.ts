import t from 'tap';
import { toHex } from '#base';
import * as formats from '#formats';
import type { Message } from '#formats';
import { oracleOf } from './fabric-oracle.ts';
import { randomValue, toOracle } from './protobuf-values.ts';
import type { Value } from './protobuf-values.ts';
import { SeededRandom } from './random.ts';

const random = new SeededRandom(20260202);
const valuesPerMessage = 60;

function isMessage(exported: unknown): exported is Message<Value> {
  return typeof exported === 'object' && exported !== null && 'decodeCanonical' in exported;
}

const messages = Object.values(formats).filter(isMessage);
const byHyperledger = messages.filter((message) => oracleOf(message) !== undefined);

t.test('every message is known to Hyperledger by its name or is our own', async (t) => {
  t.ok(byHyperledger.length > 60, `${byHyperledger.length} messages`);
  const others = messages.filter((message) => !byHyperledger.includes(message));
  for (const { name } of others) t.match(name, /^(?:countersign|txmgr)\./);
});

for (const message of byHyperledger) {
  t.test(`${message.name} is encoded byte for byte as Hyperledger's library does`, async (t) => {
    const oracle = oracleOf(message);
    if (oracle === undefined) throw new Error('an oracle');
    const wrong: string[] = [];
    for (let count = 0; count < valuesPerMessage; count += 1) {
      const value = randomValue(random, message, oracle);
      const ours = message.encode(value);
      const theirs = toOracle(message, value, oracle).serializeBinary();
      if (toHex(ours) !== toHex(theirs)) wrong.push(`${toHex(ours)} not ${toHex(theirs)}`);
    }
    t.strictSame(wrong, []);
  });
}

for (const message of messages) {
  t.test(`${message.name} reads back as it was written`, async (t) => {
    for (let count = 0; count < 8; count += 1) {
      const value = randomValue(random, message, oracleOf(message));
      const bytes = message.encode(value);
      const first = message.decode(bytes);
      t.strictSame(message.decodeCanonical(bytes), first);
      t.strictSame(first, value);
    }
  });
}
