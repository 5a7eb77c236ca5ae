import { createHash } from 'node:crypto';
import t from 'tap';
import { toHex, utf8 } from '#base';
import { leafHash, verifyInclusion } from '#crypto';
import { EvidenceLeaf, RequestResult, validationCodes } from '#formats';
import { commit, fingerprint, openTestLedger, requestIdOf, txIdOf, write } from './support.ts';
import { temporaryDir } from '../support/temporary-dir.ts';

/** RFC 6962 section 2.1, as it is written. */
function naiveRoot(leaves: readonly Uint8Array[]): Uint8Array {
  const sha256 = (...parts: Uint8Array[]) =>
    new Uint8Array(createHash('sha256').update(Buffer.concat(parts)).digest());
  if (leaves.length === 0) return sha256();
  if (leaves.length === 1) return sha256(Uint8Array.of(0), leaves[0]!);
  let split = 1;
  while (split * 2 < leaves.length) split *= 2;
  return sha256(
    Uint8Array.of(1),
    naiveRoot(leaves.slice(0, split)),
    naiveRoot(leaves.slice(split)),
  );
}

const jws = (index: number) => `h${index}.p${index}.s${index}`;

function leafOf(index: number, block: bigint, name: string, requestIndex: number, code: number) {
  const result = RequestResult.encode({
    requestId: Uint8Array.from(Buffer.from(requestIdOf(jws(index)), 'hex')),
    status: 200,
    message: '',
    payloads: [utf8(`result of ${jws(index)}`)],
    code: '',
  });
  const sha256 = (bytes: Uint8Array) => new Uint8Array(createHash('sha256').update(bytes).digest());
  return EvidenceLeaf.encode({
    requestHash: sha256(utf8(jws(index))),
    resultHash: sha256(result),
    blockNumber: block,
    txId: txIdOf(name),
    requestIndex,
    validationCode: code,
  });
}

t.test('002-14 every request of a block has a leaf that can be proved', async (t) => {
  const dir = temporaryDir(t);
  const sizes = [1, 2, 5, 250, 3, 300, 1, 40];
  const leaves: Uint8Array[] = [];
  const sizeAfter: number[] = [0];
  {
    await using ledger = await openTestLedger(dir);
    t.same(ledger.evidence, { size: 0n, root: naiveRoot([]) });
    for (const [block, size] of sizes.entries()) {
      const requests = Array.from({ length: size }, (_, index) => jws(leaves.length + index));
      const name = `bundle ${block}`;
      for (let index = 0; index < size; index += 1) {
        leaves.push(leafOf(leaves.length, BigInt(block + 1), name, index, 0));
      }
      const committed = await commit(ledger, { name, requests });
      sizeAfter.push(leaves.length);
      t.same(committed.evidence, { size: BigInt(leaves.length), root: naiveRoot(leaves) });
    }
  }
  await using ledger = await openTestLedger(dir);
  t.same(ledger.evidence.root, naiveRoot(leaves), 'also after reopening');
  for (const index of [0, 1, 7, 8, 255, 256, 257, 511, 512, 560, leaves.length - 1]) {
    for (const atBlock of [undefined, BigInt(sizes.length)]) {
      const parts = ledger.receiptParts(requestIdOf(jws(index)), atBlock)!;
      const size = Number(parts.treeSize);
      t.equal(size, sizeAfter[Number(parts.treeBlockNumber)]);
      t.same(parts.leaf, leaves[index]);
      t.equal(parts.leafIndex, BigInt(index));
      t.same(parts.root, naiveRoot(leaves.slice(0, size)));
      t.ok(verifyInclusion(leafHash(parts.leaf), index, size, parts.proof, parts.root));
    }
  }
  t.equal(ledger.receiptParts(requestIdOf(jws(560)), 2n), undefined, 'not in an older log');
  t.equal(ledger.receiptParts(requestIdOf('no.such.one')), undefined);
  t.equal(ledger.receiptParts('zz'), undefined);
});

t.test('a request was executed when its transaction is valid, and that place stays', async (t) => {
  await using ledger = await openTestLedger(temporaryDir(t));
  const id = requestIdOf(jws(1));
  const requests = [jws(0), jws(1)];
  await commit(ledger, { name: 'a', requests, mark: 'badly endorsed' });
  t.equal(ledger.hasRequest(id), false);
  t.match(ledger.request(id), {
    blockNumber: 1n,
    txIndex: 0,
    requestIndex: 1,
    leafIndex: 1n,
    code: validationCodes.ENDORSEMENT_POLICY_FAILURE,
    txId: txIdOf('a'),
  });
  await write(ledger, { name: 'other' }, { name: 'b', requests: [jws(1)] });
  const executed = { blockNumber: 2n, txIndex: 1, requestIndex: 0, leafIndex: 2n, code: 0 };
  t.match(ledger.request(id), { ...executed, txId: txIdOf('b') });
  t.equal(ledger.hasRequest(id), true);
  await commit(ledger, { name: 'c', requests: [jws(1)], mark: 'badly endorsed' });
  await commit(ledger, { name: 'd', requests: [jws(1)] });
  t.match(ledger.request(id), executed);
  t.equal(ledger.evidence.size, 5n, 'each attempt is on the record');
  t.equal(ledger.hasRequest(requestIdOf(jws(0))), false);
  t.equal(ledger.hasRequest('not hex'), false);
});

t.test('another signature over the same request is the same request', async (t) => {
  await using ledger = await openTestLedger(temporaryDir(t));
  await commit(ledger, { name: 'a', requests: ['h.p.signature'] });
  t.equal(ledger.hasRequest(requestIdOf('h.p.another')), true);
  t.equal(ledger.hasRequest(requestIdOf('h.q.signature')), false);
});

t.test('an unsigned proposal already says the log after it', async (t) => {
  await using ledger = await openTestLedger(temporaryDir(t));
  const { envelopeOf, headerFor, testMetadata } = await import('./support.ts');
  const data = [envelopeOf({ name: 'a', requests: [jws(0)] })];
  const { evidenceAfter } = await ledger.propose({ header: headerFor(ledger, data), data });
  t.equal(ledger.evidence.size, 0n);
  t.same(evidenceAfter, { size: 1n, root: naiveRoot([leafOf(0, 1n, 'a', 0, 0)]) });
  t.same((await ledger.seal(testMetadata(0n))).evidence, evidenceAfter);
  t.match(fingerprint(ledger), { evidence: [1n, toHex(evidenceAfter.root)] });
});
