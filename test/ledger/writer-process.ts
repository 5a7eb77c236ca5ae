/** Writes block after block into the ledger named by its argument and says each that is answered. */
import { toHex } from '#base';
import { openTestLedger, write } from './support.ts';

const [dir = '', lagBlocks = '1'] = process.argv.slice(2);
const ledger = await openTestLedger(dir, { lag: { blocksMax: Number(lagBlocks) } });
if (ledger.proposed !== undefined) {
  const { testMetadata } = await import('./support.ts');
  await ledger.seal(testMetadata(0n));
}
process.stdout.write('open\n');
for (let count = 0; count < 1_000_000; count += 1) {
  const number = ledger.height;
  const requests = Array.from({ length: 3 }, (_, index) => `h.${number}-${index}.s`);
  const committed = await write(ledger, {
    name: `t${number}`,
    requests,
    writes: [
      [`k${number % 7n}`, `${number}`],
      [`k${number % 11n}`, number % 3n === 0n ? undefined : 'x'.repeat(Number(number % 500n) + 1)],
    ],
  });
  process.stdout.write(`${committed.number} ${toHex(committed.headerHash)}\n`);
}
await ledger[Symbol.asyncDispose]();
