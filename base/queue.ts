/** A first-in first-out queue that refuses rather than grows. */
export class BoundedQueue<Item> {
  readonly #depthMax: number;
  readonly #bytesMax: number;
  readonly #bytesOf: (item: Item) => number;
  #items: Item[] = [];
  #head = 0;
  #bytes = 0;

  constructor(bounds: { depthMax: number; bytesMax?: number; bytesOf?: (item: Item) => number }) {
    this.#depthMax = bounds.depthMax;
    this.#bytesMax = bounds.bytesMax ?? Number.POSITIVE_INFINITY;
    this.#bytesOf = bounds.bytesOf ?? (() => 0);
  }

  get depth(): number {
    return this.#items.length - this.#head;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** @returns false, and keeps nothing, when the item would pass a bound. */
  push(item: Item): boolean {
    const bytes = this.#bytesOf(item);
    if (this.depth >= this.#depthMax || this.#bytes + bytes > this.#bytesMax) return false;
    this.#items.push(item);
    this.#bytes += bytes;
    return true;
  }

  peek(): Item | undefined {
    return this.#items[this.#head];
  }

  shift(): Item | undefined {
    if (this.depth === 0) return undefined;
    const item = this.#items[this.#head] as Item;
    this.#head += 1;
    this.#bytes -= this.#bytesOf(item);
    // Compact when half of the array is behind the head, so that shifting stays O(1) amortised.
    if (this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }
}
