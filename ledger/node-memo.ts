/** Levels of the evidence tree that a key has room for; more leaves than 2^47 there will not be. */
const levelsMax = 64;

/**
 * Tree nodes that were looked up, in two generations: what the older one holds and nobody asks for
 * goes. A proof asks for a dozen nodes, so an exact order of use would cost more than it saves.
 */
export class NodeMemo {
  readonly #generationSize: number;
  #young = new Map<number, Uint8Array>();
  #old = new Map<number, Uint8Array>();

  /** @param sizeMax nodes kept at most. */
  constructor(sizeMax: number) {
    this.#generationSize = Math.ceil(sizeMax / 2);
  }

  get(level: number, index: number): Uint8Array | undefined {
    const key = index * levelsMax + level;
    const young = this.#young.get(key);
    if (young !== undefined) return young;
    const old = this.#old.get(key);
    if (old !== undefined) this.#keep(key, old);
    return old;
  }

  set(level: number, index: number, hash: Uint8Array): void {
    this.#keep(index * levelsMax + level, hash);
  }

  #keep(key: number, hash: Uint8Array): void {
    if (this.#young.size >= this.#generationSize) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, hash);
  }
}
