/** A seeded source of test data, so that a failure can be run again. */
export class SeededRandom {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A whole number from 0 up to, not including, the bound (mulberry32). */
  below(bound: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * bound);
  }

  chance(percent: number): boolean {
    return this.below(100) < percent;
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.below(256));
  }

  pick<Item>(items: readonly [Item, ...Item[]]): Item {
    return items[this.below(items.length)] ?? items[0];
  }

  /** The bytes with a few places changed, cut, doubled or filled in. */
  mutate(bytes: Uint8Array): Uint8Array {
    let mutated = Uint8Array.from(bytes);
    for (let times = 1 + this.below(3); times > 0; times -= 1) mutated = this.#mutateOnce(mutated);
    return mutated;
  }

  #mutateOnce(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
    const at = this.below(bytes.length + 1);
    const end = at + this.below(8);
    const [head, rest] = [bytes.subarray(0, at), bytes.subarray(at)];
    switch (this.below(5)) {
      case 0:
        return Uint8Array.from([...head, this.below(256), ...rest.subarray(1)]);
      case 1:
        return Uint8Array.from([
          ...head,
          ...(rest[0] === undefined ? [] : [rest[0] ^ (1 << this.below(8))]),
          ...rest.subarray(1),
        ]);
      case 2:
        return Uint8Array.from([...head, ...bytes.subarray(end)]);
      case 3:
        return Uint8Array.from([...bytes.subarray(0, end), ...rest]);
      default:
        return Uint8Array.from([...head, ...this.bytes(1 + this.below(4)), ...rest]);
    }
  }
}
