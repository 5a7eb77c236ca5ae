import { createHash } from 'node:crypto';
import t from 'tap';
import { QueryReads } from '#formats';
import { RangeSummary, isSummaryUnchanged } from '../../ledger/range-merkle.ts';

const rowsUpTo = (count: number) =>
  Array.from({ length: count }, (_, index) => ({
    key: `k${String(index).padStart(4, '0')}`,
    version: { blockNum: BigInt(index), txNum: 0n },
  }));

const sha256 = (...parts: Uint8Array[]) =>
  new Uint8Array(createHash('sha256').update(Buffer.concat(parts)).digest());

const hashRows = (rows: ReturnType<typeof rowsUpTo>) =>
  sha256(QueryReads.encode({ kvReads: rows }));

function summaryOf(count: number, maxDegree: number) {
  const tree = new RangeSummary(maxDegree);
  for (const row of rowsUpTo(count)) tree.add(row);
  if (!tree.finish()) return undefined;
  return { maxDegree, maxLevel: tree.maxLevel, maxLevelHashes: [...tree.topHashes] };
}

t.test('summaries are those that Fabric makes, worked out by hand for degree 2', (t) => {
  const rows = rowsUpTo(30);
  const leaf = (index: number, width = 3) => hashRows(rows.slice(index * 3, index * 3 + width));
  t.equal(summaryOf(2, 2), undefined, 'rows up to the degree stay rows');
  t.same(summaryOf(3, 2), { maxDegree: 2, maxLevel: 1, maxLevelHashes: [leaf(0)] });
  t.same(summaryOf(4, 2), { maxDegree: 2, maxLevel: 1, maxLevelHashes: [leaf(0), leaf(1, 1)] });
  // Seven rows: two full hashes and a rest, three hashes on level 1, one too many.
  t.same(summaryOf(7, 2)!.maxLevelHashes, [sha256(leaf(0), leaf(1), leaf(2, 1))]);
  t.equal(summaryOf(7, 2)!.maxLevel, 2);
  // Ten rows: three full hashes lifted together; the rest, alone on level 1, is lifted as it is.
  t.same(summaryOf(10, 2)!.maxLevelHashes, [sha256(leaf(0), leaf(1), leaf(2)), leaf(3, 1)]);
  const nine = (from: number) => sha256(leaf(from), leaf(from + 1), leaf(from + 2));
  t.same(summaryOf(27, 2), {
    maxDegree: 2,
    maxLevel: 3,
    maxLevelHashes: [sha256(nine(0), nine(3), nine(6))],
  });
  t.end();
});

t.test('a summary matches its rows and no others', (t) => {
  for (const degree of [2, 3, 50]) {
    for (const count of [degree + 1, 2 * degree + 1, 9 * degree, 10 * degree + 3]) {
      const summary = summaryOf(count, degree)!;
      const rows = rowsUpTo(count);
      t.ok(isSummaryUnchanged(summary, rows));
      t.notOk(isSummaryUnchanged(summary, rows.slice(1)));
      t.notOk(isSummaryUnchanged(summary, rows.slice(0, -1)));
      const changed = rows.with(count - 1, {
        ...rows[count - 1]!,
        version: { blockNum: 7n, txNum: 7n },
      });
      t.notOk(isSummaryUnchanged(summary, changed));
      t.notOk(isSummaryUnchanged({ ...summary, maxLevelHashes: [] }, rows));
    }
  }
  t.notOk(isSummaryUnchanged({ maxDegree: 5, maxLevel: 1, maxLevelHashes: [] }, rowsUpTo(3)));
  t.end();
});

t.test('rows that outgrow a full summary stop a stock peer, so they are refused', (t) => {
  const full = summaryOf(6, 2)!;
  t.equal(full.maxLevelHashes.length, 2);
  t.throws(() => isSummaryUnchanged(full, rowsUpTo(9)), { code: 'LEDGER_BLOCK_UNCOMMITTABLE' });
  t.notOk(isSummaryUnchanged(full, rowsUpTo(8)));
  t.end();
});
