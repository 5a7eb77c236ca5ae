/** Writes until its disk is full, says how it was refused, and goes on when it is told to. */
import { once } from 'node:events';
import { isDeepStrictEqual } from 'node:util';
import { Fault } from '#base';
import { envelopeOf, fingerprint, headerFor, openTestLedger, testMetadata } from './support.ts';
import type { TestTransaction } from './support.ts';

const [dir = '', mode = ''] = process.argv.slice(2);
const say = (line: string) => process.stdout.write(`${line}\n`);
// Tables that seldom catch up would let the block file grow to the limit first.
const lag = mode === 'tables' ? { blocksMax: 2 } : {};
const ledger = await openTestLedger(dir, { lag });

/** Large values fill the block file; many small keys in random order fill the tables first. */
function transactionAt(number: bigint): TestTransaction {
  if (mode === 'blocks') return { name: `t${number}`, writes: [['k', 'v'.repeat(20_000)]] };
  const writes = Array.from({ length: 40 }, (_, index): [string, string] => [
    `${(Number(number) * 40 + index) * 7919}`.split('').toReversed().join(''),
    'v',
  ]);
  return { name: `t${number}`, writes };
}

const data = () => [envelopeOf(transactionAt(ledger.height))];
let refused: unknown;
let was: unknown;
let envelopes: Uint8Array[] = [];
while (refused === undefined && ledger.height < 3_000n) {
  was = fingerprint(ledger);
  envelopes = data();
  try {
    await ledger.propose({ header: headerFor(ledger, envelopes), data: envelopes });
    await ledger.seal(testMetadata(0n));
  } catch (error) {
    refused = error;
  }
}
say(refused instanceof Fault ? refused.code : String(refused));
say(isDeepStrictEqual(fingerprint(ledger), was) ? 'same' : 'changed');
say('full');
await once(process.stdin, 'data');
process.stdin.destroy();
const height = ledger.height;
// The block goes on where it stopped: not begun, waiting for its seal, or for the tables.
if (ledger.proposed === undefined) {
  await ledger.propose({ header: headerFor(ledger, envelopes), data: envelopes });
}
await ledger.seal(testMetadata(0n));
for (let count = 0; count < 3; count += 1) {
  const next = data();
  await ledger.propose({ header: headerFor(ledger, next), data: next });
  await ledger.seal(testMetadata(0n));
}
say(ledger.height === height + 4n ? 'recovered' : 'stuck');
say(`height ${ledger.height}`);
await ledger[Symbol.asyncDispose]();
