/** RFC 6962 section 2.1 to the letter, over all leaves every time: what faster code is held against. */
import { sha256 } from '#crypto';

const leafPrefix = Uint8Array.of(0);
const nodePrefix = Uint8Array.of(1);

export function naiveRoot(leaves: readonly Uint8Array[]): Uint8Array {
  const [only] = leaves;
  if (only === undefined) return sha256();
  if (leaves.length === 1) return sha256(leafPrefix, only);
  const split = splitOf(leaves.length);
  return sha256(nodePrefix, naiveRoot(leaves.slice(0, split)), naiveRoot(leaves.slice(split)));
}

/** The audit path of one leaf, from its sibling up. */
export function naivePath(index: number, leaves: readonly Uint8Array[]): Uint8Array[] {
  if (leaves.length <= 1) return [];
  const split = splitOf(leaves.length);
  const [left, right] = [leaves.slice(0, split), leaves.slice(split)];
  return index < split
    ? [...naivePath(index, left), naiveRoot(right)]
    : [...naivePath(index - split, right), naiveRoot(left)];
}

/** The largest power of two below the number of leaves. */
function splitOf(count: number): number {
  let split = 1;
  while (split * 2 < count) split *= 2;
  return split;
}
