import { LruMap } from '#base';
import { appendLeaves, emptyTree, inclusionProof, treeRoot, treeStateAt } from '#crypto';
import type { GetNode, TreeNode, TreeState } from '#crypto';
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
  #state: TreeState = emptyTree;

  constructor(store: Store, size: bigint) {
    this.#store = store;
    this.#state = treeStateAt(Number(size), this.#nodes());
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

  /** To be called inside a transaction; {@link adopt} when it is committed. */
  put({ newNodes }: EvidencePlan): void {
    const tiles = new Map<string, { key: Buffer; hashes: Buffer[] }>();
    for (const { level, index, hash } of newNodes) {
      if (level % tileLevels !== 0) continue;
      const key = tileKey(level / tileLevels, Math.floor(index / tileWidth));
      const name = key.toString('hex');
      const tile = tiles.get(name) ?? { key, hashes: this.#partOf(key, index % tileWidth) };
      tile.hashes.push(Buffer.from(hash));
      tiles.set(name, tile);
    }
    for (const { key, hashes } of tiles.values()) {
      this.#store.evidence.putSync(key, Buffer.concat(hashes));
    }
  }

  adopt(plan: EvidencePlan): void {
    this.#state = plan.state;
  }

  /** Root and audit path of a leaf in the tree of an earlier or the present size. */
  prove(leafIndex: bigint, size: bigint): { root: Uint8Array; proof: Uint8Array[] } {
    const nodes = this.#nodes();
    return {
      root: treeRoot(treeStateAt(Number(size), nodes)),
      proof: inclusionProof(Number(leafIndex), Number(size), nodes),
    };
  }

  /** The tile as far as it stands before hash number `count` is added to it. */
  #partOf(key: Buffer, count: number): Buffer[] {
    return count === 0 ? [] : [this.#tile(key).subarray(0, count * hashBytes)];
  }

  #tile(key: Buffer): Buffer {
    const stored = this.#store.evidence.getBinary(key);
    if (stored === undefined) throw new Error(`evidence tile ${key.toString('hex')} is missing`);
    return stored;
  }

  /** Looks nodes up, each tile read once. */
  #nodes(): GetNode {
    const seen = new LruMap<string, Buffer>(tilesInUseMax);
    return (level, index) => {
      const above = level % tileLevels;
      // Below a stored level, a node is the tree over the stored hashes that it covers.
      const width = 2 ** above;
      const first = index * width;
      const key = tileKey((level - above) / tileLevels, Math.floor(first / tileWidth));
      const name = key.toString('hex');
      const tile = seen.get(name) ?? this.#tile(key);
      seen.set(name, tile);
      return foldTile(tile, first % tileWidth, width);
    };
  }
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
/** A proof touches two tiles per stored level, of which there are seven at most. */
const tilesInUseMax = 16;

function foldTile(tile: Buffer, first: number, width: number): Uint8Array {
  const hashes: Uint8Array[] = [];
  for (let index = first; index < first + width; index += 1) {
    hashes.push(Uint8Array.from(tile.subarray(index * hashBytes, (index + 1) * hashBytes)));
  }
  return treeRoot(appendLeaves(emptyTree, hashes).state);
}

function tileKey(tileLevel: number, index: number): Buffer {
  const key = Buffer.alloc(7);
  key.writeUInt8(tileLevel, 0);
  key.writeUIntBE(index, 1, 6);
  return key;
}
