import { equalBytes } from '#base';
import { fault } from './faults.ts';
import { nodeHash, rangeHash, rootOfEmpty, splitOf } from './merkle-tree.ts';
import type { GetNode } from './merkle-tree.ts';

/**
 * The audit path of one leaf.
 *
 * @param index of the leaf, from 0.
 * @param size of the tree the proof is for, at most that of the stored one.
 * @param getRange as {@link rangeHash} makes it: proofs for one size share what ends at it.
 * @returns hashes of 32 bytes, from the leaf's sibling up to the root's child.
 * @throws CRYPTO_TREE_RANGE the index is not below the size.
 * @see RFC 6962 section 2.1.1.
 */
export function inclusionProof(
  index: number,
  size: number,
  getNode: GetNode,
  getRange = (begin: number, end: number) => rangeHash(begin, end, getNode),
): Uint8Array[] {
  if (!isSize(size) || !isSize(index) || index >= size) {
    throw fault('CRYPTO_TREE_RANGE', { index, size });
  }
  const proof: Uint8Array[] = [];
  let begin = 0;
  let end = size;
  while (end - begin > 1) {
    const middle = begin + splitOf(end - begin);
    if (index < middle) {
      proof.push(getRange(middle, end));
      end = middle;
    } else {
      proof.push(getRange(begin, middle));
      begin = middle;
    }
  }
  return proof.toReversed();
}

/**
 * Whether the path proves that the leaf stands at `index` in the tree of that size and root.
 *
 * @param leaf its leaf hash.
 * @returns false for everything that proves nothing, also for impossible sizes.
 * @see RFC 9162 section 2.1.3.2.
 */
export function verifyInclusion(
  leaf: Uint8Array,
  index: number,
  size: number,
  proof: readonly Uint8Array[],
  root: Uint8Array,
): boolean {
  if (!isSize(size) || !isSize(index) || index >= size) return false;
  if (![leaf, root, ...proof].every(isHash)) return false;
  let node = index;
  let last = size - 1;
  let hash = leaf;
  for (const sibling of proof) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      hash = nodeHash(sibling, hash);
      // A last node without a sibling rises unchanged until it is a right child.
      while (node % 2 === 0 && node !== 0) [node, last] = parents(node, last);
    } else {
      hash = nodeHash(hash, sibling);
    }
    [node, last] = parents(node, last);
  }
  return last === 0 && equalBytes(hash, root);
}

/**
 * Proves that the tree of the old size is a prefix of the one of the new size.
 *
 * @returns hashes of 32 bytes; none when the sizes are equal or the old tree is empty.
 * @throws CRYPTO_TREE_RANGE the old size is above the new one.
 * @see RFC 6962 section 2.1.2.
 */
export function consistencyProof(oldSize: number, newSize: number, getNode: GetNode): Uint8Array[] {
  if (!isSize(newSize) || !isSize(oldSize) || oldSize > newSize) {
    throw fault('CRYPTO_TREE_RANGE', { oldSize, newSize });
  }
  if (oldSize === 0 || oldSize === newSize) return [];
  const proof: Uint8Array[] = [];
  let begin = 0;
  let end = newSize;
  while (end !== oldSize) {
    const middle = begin + splitOf(end - begin);
    if (oldSize <= middle) {
      proof.push(rangeHash(middle, end, getNode));
      end = middle;
    } else {
      proof.push(rangeHash(begin, middle, getNode));
      begin = middle;
    }
  }
  // Where nothing was cut off on the left, the verifier has this hash: it is the old root.
  if (begin > 0) proof.push(rangeHash(begin, end, getNode));
  return proof.toReversed();
}

/**
 * Whether the proof shows that the old tree is a prefix of the new one.
 *
 * @returns false for everything that proves nothing, also for impossible sizes.
 * @see RFC 9162 section 2.1.4.2.
 */
export function verifyConsistency(
  oldSize: number,
  newSize: number,
  oldRoot: Uint8Array,
  newRoot: Uint8Array,
  proof: readonly Uint8Array[],
): boolean {
  if (!isSize(oldSize) || !isSize(newSize) || oldSize > newSize) return false;
  if (![oldRoot, newRoot, ...proof].every(isHash)) return false;
  if (oldSize === 0) return proof.length === 0 && equalBytes(oldRoot, rootOfEmpty());
  if (oldSize === newSize) return proof.length === 0 && equalBytes(oldRoot, newRoot);
  const [first, ...rest] = isPowerOfTwo(oldSize) ? [oldRoot, ...proof] : proof;
  return first !== undefined && climb(oldSize, newSize, first, rest, oldRoot, newRoot);
}

function climb(
  oldSize: number,
  newSize: number,
  first: Uint8Array,
  rest: readonly Uint8Array[],
  oldRoot: Uint8Array,
  newRoot: Uint8Array,
): boolean {
  let [node, last] = [oldSize - 1, newSize - 1];
  while (node % 2 === 1) [node, last] = parents(node, last);
  let [oldHash, newHash] = [first, first];
  for (const sibling of rest) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      oldHash = nodeHash(sibling, oldHash);
      newHash = nodeHash(sibling, newHash);
      while (node % 2 === 0 && node !== 0) [node, last] = parents(node, last);
    } else {
      newHash = nodeHash(newHash, sibling);
    }
    [node, last] = parents(node, last);
  }
  return last === 0 && equalBytes(oldHash, oldRoot) && equalBytes(newHash, newRoot);
}

/** Shifting would cut to 32 bits. */
function parents(node: number, last: number): [node: number, last: number] {
  return [Math.floor(node / 2), Math.floor(last / 2)];
}

function isPowerOfTwo(size: number): boolean {
  return 2 ** Math.round(Math.log2(size)) === size;
}

function isSize(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function isHash(bytes: Uint8Array): boolean {
  return bytes.length === 32;
}
