import t from 'tap';
import { fromHex, toHex, utf8 } from '#base';
import {
  appendLeaves,
  consistencyProof,
  emptyTree,
  inclusionProof,
  leafHash,
  nodeHash,
  rootOfEmpty,
  sha256,
  treeRoot,
  treeStateAt,
  verifyConsistency,
  verifyInclusion,
} from '#crypto';
import type { TreeNode } from '#crypto';
import { seededRandom } from './fuzzing.ts';

/** The leaves and roots that the certificate-transparency implementations test with. */
const knownLeaves = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
].map((hex) => fromHex(hex)!);
const knownRoots = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];

/** MTH, PATH and SUBPROOF to the letter of RFC 6962 section 2.1, over leaf hashes. */
function naiveSplit(width: number): number {
  let k = 1;
  while (k * 2 < width) k *= 2;
  return k;
}
function naiveRoot(leaves: Uint8Array[]): Uint8Array {
  if (leaves.length === 0) return sha256();
  if (leaves.length === 1) return leaves[0]!;
  const k = naiveSplit(leaves.length);
  return nodeHash(naiveRoot(leaves.slice(0, k)), naiveRoot(leaves.slice(k)));
}
function naivePath(m: number, leaves: Uint8Array[]): Uint8Array[] {
  if (leaves.length === 1) return [];
  const k = naiveSplit(leaves.length);
  const [left, right] = [leaves.slice(0, k), leaves.slice(k)];
  return m < k
    ? [...naivePath(m, left), naiveRoot(right)]
    : [...naivePath(m - k, right), naiveRoot(left)];
}
function naiveSubproof(m: number, leaves: Uint8Array[], known: boolean): Uint8Array[] {
  if (m === leaves.length) return known ? [] : [naiveRoot(leaves)];
  const k = naiveSplit(leaves.length);
  const [left, right] = [leaves.slice(0, k), leaves.slice(k)];
  return m <= k
    ? [...naiveSubproof(m, left, known), naiveRoot(right)]
    : [...naiveSubproof(m - k, right, false), naiveRoot(left)];
}

/** A tree grown in the given steps, its nodes in a store that refuses to overwrite. */
function grown(leaves: readonly Uint8Array[], step: number) {
  const store = new Map<string, Uint8Array>();
  const keep = ({ level, index, hash }: TreeNode) => {
    if (store.has(`${level}/${index}`)) throw new Error('a node was written twice');
    store.set(`${level}/${index}`, hash);
  };
  let state = emptyTree;
  for (let from = 0; from < leaves.length; from += step) {
    const appended = appendLeaves(state, leaves.slice(from, from + step));
    appended.newNodes.forEach(keep);
    state = appended.state;
  }
  const getNode = (level: number, index: number) => {
    const hash = store.get(`${level}/${index}`);
    if (hash === undefined) throw new Error(`node ${level}/${index} is not there`);
    return hash;
  };
  return { state, getNode, nodes: store.size };
}

const sample = (count: number) => Array.from({ length: count }, (_, at) => leafHash(utf8(`${at}`)));

t.test('the roots of the eight well-known leaves are the well-known roots', async (t) => {
  t.equal(toHex(rootOfEmpty()), knownRoots[0]);
  t.equal(toHex(treeRoot(emptyTree)), knownRoots[0]);
  let state = emptyTree;
  for (const [at, leaf] of knownLeaves.entries()) {
    const appended = appendLeaves(state, [leafHash(leaf)]);
    state = appended.state;
    t.equal(toHex(appended.root), knownRoots[at + 1], `${at + 1} leaves`);
  }
});

t.test('the well-known audit paths come out', async (t) => {
  const { getNode } = grown(knownLeaves.map(leafHash), 8);
  const path = (index: number, size: number) => inclusionProof(index, size, getNode).map(toHex);
  t.same(path(0, 1), []);
  t.same(path(0, 8), [
    '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
    '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
    '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
  ]);
  t.same(path(2, 3), ['fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125']);
});

t.test('roots, paths and consistency equal the naive ones for every size up to 40', async (t) => {
  const leaves = sample(40);
  const { getNode } = grown(leaves, 3);
  const wrong: string[] = [];
  for (let size = 1; size <= leaves.length; size += 1) {
    const part = leaves.slice(0, size);
    const root = naiveRoot(part);
    if (toHex(treeRoot(treeStateAt(size, getNode))) !== toHex(root)) wrong.push(`root ${size}`);
    for (let index = 0; index < size; index += 1) {
      const proof = inclusionProof(index, size, getNode);
      if (proof.map(toHex).join() !== naivePath(index, part).map(toHex).join()) {
        wrong.push(`path ${index} of ${size}`);
      }
      if (!verifyInclusion(part[index]!, index, size, proof, root))
        wrong.push(`in ${index}/${size}`);
    }
    for (let old = 1; old <= size; old += 1) {
      const proof = consistencyProof(old, size, getNode);
      if (proof.map(toHex).join() !== naiveSubproof(old, part, true).map(toHex).join()) {
        wrong.push(`consistency ${old} to ${size}`);
      }
      const oldRoot = naiveRoot(leaves.slice(0, old));
      if (!verifyConsistency(old, size, oldRoot, root, proof)) wrong.push(`con ${old}/${size}`);
    }
  }
  t.same(wrong, []);
});

t.test('how the leaves are dealt out changes neither root, state nor nodes', async (t) => {
  const leaves = sample(37);
  const atOnce = grown(leaves, 37);
  for (const step of [1, 2, 5, 16]) {
    const other = grown(leaves, step);
    t.same(other.state, atOnce.state);
    t.equal(other.nodes, atOnce.nodes);
  }
  // 37 leaves leave 37 - 3 complete inner nodes: one edge of three subtrees.
  t.equal(atOnce.state.edge.length, 3);
  t.equal(atOnce.nodes, 2 * 37 - 3);
  t.same(treeStateAt(37, atOnce.getNode), atOnce.state);
});

t.test('appending nothing changes nothing', async (t) => {
  const { state } = grown(sample(5), 5);
  const same = appendLeaves(state, []);
  t.same(same, { newNodes: [], state, root: treeRoot(state) });
});

t.test('a proof with one changed bit, one hash more or fewer proves nothing', async (t) => {
  const leaves = sample(21);
  const { getNode, state } = grown(leaves, 21);
  const root = treeRoot(state);
  const random = seededRandom(6962);
  const changed = (bytes: Uint8Array) => {
    const copy = Uint8Array.from(bytes);
    copy[Math.floor(random() * copy.length)]! ^= 1 << Math.floor(random() * 8);
    return copy;
  };
  for (let index = 0; index < 21; index += 1) {
    const proof = inclusionProof(index, 21, getNode);
    const leaf = leaves[index]!;
    const at = Math.floor(random() * proof.length);
    t.notOk(verifyInclusion(leaf, index, 21, proof.with(at, changed(proof[at]!)), root));
    t.notOk(verifyInclusion(leaf, index, 21, [...proof, root], root));
    t.notOk(verifyInclusion(leaf, index, 21, proof.slice(1), root));
    t.notOk(verifyInclusion(leaf, (index + 1) % 21, 21, proof, root));
    t.notOk(verifyInclusion(changed(leaf), index, 21, proof, root));
    t.notOk(verifyInclusion(leaf, index, 21, proof, changed(root)));
  }
  for (let old = 1; old < 21; old += 1) {
    const oldRoot = naiveRoot(leaves.slice(0, old));
    const proof = consistencyProof(old, 21, getNode);
    const at = Math.floor(random() * proof.length);
    const verify = (hashes: Uint8Array[], from = oldRoot, to = root) =>
      verifyConsistency(old, 21, from, to, hashes);
    t.ok(verify(proof));
    t.notOk(verify(proof.with(at, changed(proof[at]!))));
    t.notOk(verify([...proof, root]));
    t.notOk(verify(proof.slice(1)));
    t.notOk(verify(proof, changed(oldRoot)));
    t.notOk(verify(proof, oldRoot, changed(root)));
  }
});

t.test('an inner node does not pass for a leaf', async (t) => {
  const leaves = sample(4);
  const { getNode, state } = grown(leaves, 4);
  const inner = nodeHash(leaves[0]!, leaves[1]!);
  t.notOk(verifyInclusion(inner, 0, 4, [getNode(1, 1)], treeRoot(state)));
  t.not(toHex(leafHash(Buffer.concat([leaves[0]!, leaves[1]!]))), toHex(inner));
});

t.test('impossible sizes and indexes are refused, not computed with', async (t) => {
  const { getNode, state } = grown(sample(5), 5);
  const root = treeRoot(state);
  const one = leafHash(utf8('0'));
  for (const [index, size] of [
    [5, 5],
    [-1, 5],
    [0, 0],
    [0.5, 5],
    [0, 2 ** 53],
    [Number.NaN, 5],
    [0, Number.POSITIVE_INFINITY],
  ] as const) {
    t.throws(() => inclusionProof(index, size, getNode), { code: 'CRYPTO_TREE_RANGE' });
    t.notOk(verifyInclusion(one, index, size, [], root));
  }
  t.throws(() => consistencyProof(6, 5, getNode), { code: 'CRYPTO_TREE_RANGE' });
  t.throws(() => treeStateAt(-1, getNode), { code: 'CRYPTO_TREE_RANGE' });
  t.throws(() => appendLeaves({ size: Number.MAX_SAFE_INTEGER, edge: [] }, [one]), {
    code: 'CRYPTO_TREE_RANGE',
  });
  t.notOk(verifyConsistency(6, 5, root, root, []));
  t.notOk(verifyInclusion(one.slice(1), 0, 1, [], one.slice(1)), 'a hash of 31 bytes');
});

t.test('every tree extends the empty one, and only with the empty root', async (t) => {
  const { getNode, state } = grown(sample(5), 5);
  const root = treeRoot(state);
  t.same(consistencyProof(0, 5, getNode), []);
  t.ok(verifyConsistency(0, 5, rootOfEmpty(), root, []));
  t.notOk(verifyConsistency(0, 5, root, root, []));
  t.notOk(verifyConsistency(0, 5, rootOfEmpty(), root, [root]));
  t.ok(verifyConsistency(5, 5, root, root, []));
  t.notOk(verifyConsistency(5, 5, rootOfEmpty(), root, []));
});

t.test('a tree beyond 2^32 leaves proves its leaves as a small one does', async (t) => {
  // A sparse stand-in: every complete node is a hash of its place, the proofs only need these.
  const getNode = (level: number, index: number) => sha256(utf8(`${level}/${index}`));
  const size = 2 ** 40 + 2 ** 33 + 5;
  const root = treeRoot(treeStateAt(size, getNode));
  const last = inclusionProof(size - 1, size, getNode);
  t.ok(verifyInclusion(getNode(0, size - 1), size - 1, size, last, root));
  t.notOk(verifyInclusion(getNode(0, size - 1), size - 2, size, last, root));
  t.notOk(verifyInclusion(getNode(0, size - 1), size - 1 - 2 ** 32, size, last, root));
});
