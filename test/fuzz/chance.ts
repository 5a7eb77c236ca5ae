import { seededRandom } from '../crypto/fuzzing.ts';

/** Choices that can be made again from their seed. */
export class Chance {
  readonly #random: () => number;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
  }

  /** A number from 0 on and below the bound. */
  readonly below = (bound: number): number => Math.floor(this.#random() * bound);

  /** True `percent` times of a hundred. */
  hits(percent: number): boolean {
    return this.#random() * 100 < percent;
  }

  of<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)]!;
  }

  /** From `least` to `most` items, each of them by itself. */
  some<Item>(items: readonly Item[], least: number, most: number): Item[] {
    const count = least + this.below(most - least + 1);
    return Array.from({ length: count }, () => this.of(items));
  }

  /** Each item once, in any order. */
  shuffled<Item>(items: readonly Item[]): Item[] {
    const rest = [...items];
    return items.map(() => rest.splice(this.below(rest.length), 1)[0]!);
  }

  seed(): number {
    return this.below(2 ** 31);
  }
}
