import t from 'tap';
import { toHex } from '#base';
import type { Ledger } from '#ledger';
import { commit, openTestLedger, requestIdOf } from './support.ts';
import { temporaryDir } from '../support/temporary-dir.ts';

const jws = (index: number) => `h${index}.p${index}.s${index}`;

/** Bundles, a stale read, a bundle that is invalid, and a request executed at the second attempt. */
async function live(ledger: Ledger): Promise<void> {
  await commit(
    ledger,
    { name: 'a', writes: [['k', '1']], requests: [jws(0), jws(1)] },
    { name: 'b', reads: [['k', undefined]], writes: [['k', '2']], requests: [jws(2)] },
  );
  await commit(ledger, { name: 'c', writes: [['l', '3']], requests: [jws(2), jws(3)] });
  await commit(ledger, { name: 'd', writes: [['k', undefined]] });
}

/** All that a copy without proofs has to know. */
function known(ledger: Ledger) {
  return {
    height: ledger.height,
    head: toHex(ledger.lastHeaderHash),
    evidenceSize: ledger.evidence.size,
    state: ledger.range('notary', '', '', 100),
    codes: [1n, 2n, 3n].map((number) => ledger.block(number)?.metadata?.metadata[2]),
    requests: [0, 1, 2, 3, 4].map((index) => ledger.request(requestIdOf(jws(index)))),
  };
}

t.test('a copy without proofs knows the same state and the same requests', async (t) => {
  const dir = temporaryDir(t);
  await using whole = await openTestLedger(temporaryDir(t));
  await live(whole);
  t.equal(whole.request(requestIdOf(jws(3)))?.leafIndex, 4n);
  {
    await using copy = await openTestLedger(dir, { keepsProofs: false });
    await live(copy);
    t.strictSame(known(copy), known(whole));
    t.equal(copy.evidence.root.length, 0);
    t.throws(() => copy.receiptParts(requestIdOf(jws(0))), TypeError);
  }
  await using again = await openTestLedger(dir, { keepsProofs: false });
  t.strictSame(known(again), known(whole), 'also after a restart');
});

t.test('a copy without proofs is never opened as one that has them', async (t) => {
  const dir = temporaryDir(t);
  {
    await using copy = await openTestLedger(dir, { keepsProofs: false });
    await live(copy);
  }
  await t.rejects(openTestLedger(dir), { code: 'LEDGER_FORMAT_UNKNOWN' });
});

t.test('a copy without proofs refuses a block that states an evidence log', async (t) => {
  await using whole = await openTestLedger(temporaryDir(t));
  await using copy = await openTestLedger(temporaryDir(t), { keepsProofs: false });
  await commit(whole, { name: 'a', requests: [jws(0)] });
  const block = whole.block(1n)!;
  await t.rejects(copy.commit(block, whole.evidence), { code: 'LEDGER_EVIDENCE_MISMATCH' });
  t.equal(copy.height, 1n);
});
