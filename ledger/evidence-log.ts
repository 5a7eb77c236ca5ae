import { bufferOf, limits } from '#base';
import {
  appendLeaves,
  emptyTree,
  inclusionProof,
  nodeHash,
  rangeHash,
  treeRoot,
  treeStateAt,
} from '#crypto';
import type { GetNode, TreeNode, TreeState } from '#crypto';
import { NodeMemo } from './node-memo.ts';
import type { Store } from './store.ts';

/**
 * The append-only log of all requests: an RFC 6962 tree with one leaf per request.
 *
 * Only every eighth level is stored, in tiles of up to 256 hashes; a node between is made of its
 * tile's hashes. One put per block and level instead of two per leaf, and 33 bytes a leaf.
 * Key of a tile: its level u8 ‖ its index u48, big-endian.
 */
export class EvidenceLog {
  readonly #store: Store;
  /** Nodes of complete subtrees by level and index: they never change. */
  readonly #known = new NodeMemo(limits.evidenceNodesCachedMax);
  #state: TreeState = emptyTree;
  #head: ProvedHead | undefined;

  constructor(store: Store, size: bigint) {
    this.#store = store;
    this.#state = treeStateAt(Number(size), this.#nodes);
  }

  get size(): bigint {
    return BigInt(this.#state.size);
  }

  get root(): Uint8Array {
    return treeRoot(this.#state);
  }

  /** What the log becomes with these leaf hashes; nothing is stored. */
  plan(leafHashes: readonly Uint8Array[]): EvidencePlan {
    const { newNodes, state, root } = appendLeaves(this.#state, leafHashes);
    return { newNodes, state, size: BigInt(state.size), root };
  }

  /** {@link adopt} comes after it. */
  put({ newNodes }: EvidencePlan): void {
    const tiles = new Map<string, Buffer[]>();
    for (const { level, index, hash } of newNodes) {
      if (level % tileLevels !== 0) continue;
      const key = tileKey(level / tileLevels, Math.floor(index / tileWidth));
      const hashes = tiles.get(key) ?? this.#partOf(key, index % tileWidth);
      hashes.push(bufferOf(hash));
      tiles.set(key, hashes);
    }
    for (const [key, hashes] of tiles) this.#store.evidence.put(key, Buffer.concat(hashes));
  }

  adopt(plan: EvidencePlan): void {
    this.#state = plan.state;
  }

  /** Root and audit path of a leaf in the tree of an earlier or the present size. */
  prove(leafIndex: bigint, size: bigint): { root: Uint8Array; proof: Uint8Array[] } {
    const { root, ranges } = this.#headAt(Number(size));
    const getRange = (begin: number, end: number) => {
      if (end !== Number(size)) return rangeHash(begin, end, this.#nodes);
      let hash = ranges.get(begin);
      if (hash === undefined) {
        hash = rangeHash(begin, end, this.#nodes);
        ranges.set(begin, hash);
      }
      return hash;
    };
    return { root, proof: inclusionProof(Number(leafIndex), Number(size), this.#nodes, getRange) };
  }

  #headAt(size: number): ProvedHead {
    if (this.#head?.size !== size) {
      this.#head = { size, root: treeRoot(treeStateAt(size, this.#nodes)), ranges: new Map() };
    }
    return this.#head;
  }

  /** The tile as far as it stands before hash number `count` is added to it. */
  #partOf(key: string, count: number): Buffer[] {
    return count === 0 ? [] : [this.#tile(key).subarray(0, count * hashBytes)];
  }

  #tile(key: string): Buffer {
    const stored = this.#store.evidence.get(key);
    if (stored === undefined) throw new Error('a tile of the evidence log is missing');
    return stored;
  }

  /** Only complete subtrees are asked for; what is between stored levels is made of two below. */
  readonly #nodes: GetNode = (level, index) => {
    const known = this.#known.get(level, index);
    if (known !== undefined) return known;
    if (level % tileLevels === 0) return this.#stored(level, index);
    const hash = nodeHash(this.#nodes(level - 1, 2 * index), this.#nodes(level - 1, 2 * index + 1));
    this.#known.set(level, index, hash);
    return hash;
  };

  /** A hash of a stored level; its whole tile is remembered, because its neighbours come next. */
  #stored(level: number, index: number): Uint8Array {
    const tileIndex = Math.floor(index / tileWidth);
    const tile = this.#tile(tileKey(level / tileLevels, tileIndex));
    for (let place = 0; place * hashBytes < tile.length; place += 1) {
      const hash = Uint8Array.from(tile.subarray(place * hashBytes, (place + 1) * hashBytes));
      this.#known.set(level, tileIndex * tileWidth + place, hash);
    }
    const found = this.#known.get(level, index);
    if (found === undefined) throw new Error(`evidence hash ${level}/${index} is missing`);
    return found;
  }
}

/** What all receipts of one block share. */
interface ProvedHead {
  size: number;
  root: Uint8Array;
  /** Hashes over the leaves from the key to the last, at most one for each level. */
  ranges: Map<number, Uint8Array>;
}

/** An append that was computed and not stored. */
export interface EvidencePlan {
  newNodes: TreeNode[];
  state: TreeState;
  size: bigint;
  root: Uint8Array;
}

const hashBytes = 32;
const tileLevels = 8;
const tileWidth = 2 ** tileLevels;

function tileKey(tileLevel: number, index: number): string {
  const key = Buffer.alloc(7);
  key.writeUInt8(tileLevel, 0);
  key.writeUIntBE(index, 1, 6);
  return key.toString('latin1');
}
