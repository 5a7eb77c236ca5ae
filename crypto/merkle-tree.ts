import { sha256 } from './digests.ts';
import { fault } from './faults.ts';

/**
 * An RFC 6962 Merkle tree that grows to the right.
 *
 * A node is known by (level, index) and covers the leaves [index · 2^level, (index + 1) · 2^level):
 * leaves are level 0. Only complete nodes are stored, and they never change once written. Sizes
 * and indexes are integers below 2^53.
 */
export interface TreeNode {
  level: number;
  index: number;
  /** 32 bytes. */
  hash: Uint8Array;
}

/** All of a tree that appending needs: O(log size) hashes. */
export interface TreeState {
  readonly size: number;
  /** The complete subtrees the leaves fall into, largest and leftmost first. */
  readonly edge: readonly Uint8Array[];
}

/** Answers a stored complete node; what it throws goes to the caller. */
export type GetNode = (level: number, index: number) => Uint8Array;

export const emptyTree: TreeState = { size: 0, edge: [] };

/** SHA-256(0x00 ‖ leaf). @see RFC 6962 section 2.1. */
export function leafHash(leaf: Uint8Array): Uint8Array {
  return sha256(leafPrefix, leaf);
}

/** SHA-256(0x01 ‖ left ‖ right). @see RFC 6962 section 2.1. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  return sha256(nodePrefix, left, right);
}

/** SHA-256 of nothing: the root of the tree without leaves. */
export function rootOfEmpty(): Uint8Array {
  return sha256();
}

/**
 * Appends leaves, as one step that a caller can store atomically.
 *
 * @param leafHashes from {@link leafHash}, in order.
 * @returns the nodes that became complete, the state to go on from, and its root.
 * @throws CRYPTO_TREE_RANGE the tree would pass 2^53 - 1 leaves.
 */
export function appendLeaves(
  state: TreeState,
  leafHashes: readonly Uint8Array[],
): { newNodes: TreeNode[]; state: TreeState; root: Uint8Array } {
  if (!Number.isSafeInteger(state.size + leafHashes.length)) throw fault('CRYPTO_TREE_RANGE');
  const edge = [...state.edge];
  const newNodes: TreeNode[] = [];
  let { size } = state;
  for (const leaf of leafHashes) {
    let node: TreeNode = { level: 0, index: size, hash: leaf };
    newNodes.push(node);
    // An odd index is a right child: its left sibling is the last of the edge.
    while (node.index % 2 === 1) {
      const hash = nodeHash(edge.pop()!, node.hash);
      node = { level: node.level + 1, index: (node.index - 1) / 2, hash };
      newNodes.push(node);
    }
    edge.push(node.hash);
    size += 1;
  }
  const next = { size, edge };
  return { newNodes, state: next, root: treeRoot(next) };
}

/** The root of the tree, 32 bytes. */
export function treeRoot(state: TreeState): Uint8Array {
  return foldEdge(state.edge) ?? rootOfEmpty();
}

/**
 * The state of the tree at a size, from its stored nodes: how appending starts again.
 *
 * @throws CRYPTO_TREE_RANGE the size is no integer from 0 to 2^53 - 1.
 */
export function treeStateAt(size: number, getNode: GetNode): TreeState {
  if (!Number.isSafeInteger(size) || size < 0) throw fault('CRYPTO_TREE_RANGE', { size });
  return { size, edge: subtrees(0, size, getNode) };
}

/**
 * The hash over the leaves [begin, end), from stored nodes.
 *
 * @param begin a multiple of every power of two up to the width, as RFC 6962's subtrees have it.
 */
export function rangeHash(begin: number, end: number, getNode: GetNode): Uint8Array {
  return foldEdge(subtrees(begin, end, getNode)) ?? rootOfEmpty();
}

/** The largest power of two that is smaller than `width`, for a width of at least 2. */
export function splitOf(width: number): number {
  let split = 1;
  while (split * 2 < width) split *= 2;
  return split;
}

const leafPrefix = Uint8Array.of(0);
const nodePrefix = Uint8Array.of(1);

/** The complete nodes that [begin, end) falls into, largest first. */
function subtrees(begin: number, end: number, getNode: GetNode): Uint8Array[] {
  const hashes: Uint8Array[] = [];
  let from = begin;
  while (from < end) {
    let level = 0;
    let width = 1;
    while (width * 2 <= end - from) {
      width *= 2;
      level += 1;
    }
    hashes.push(getNode(level, from / width));
    from += width;
  }
  return hashes;
}

/** Joins subtrees from the right: each left one is larger than all that follow it. */
function foldEdge(edge: readonly Uint8Array[]): Uint8Array | undefined {
  let root: Uint8Array | undefined;
  for (const left of edge.toReversed()) root = root === undefined ? left : nodeHash(left, root);
  return root;
}
