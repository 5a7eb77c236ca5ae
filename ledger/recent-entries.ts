/** What became of a key; the newest word counts. */
export type RecentValue = Buffer | typeof removed;
export const removed = Symbol('removed');

/** Entries of a table that are not on its disk yet. Keys are bytes as Latin-1 text. */
export class RecentEntries {
  readonly #byKey = new Map<string, RecentValue>();
  /** All keys in order, as far as they were there when a range was asked for. */
  #sorted: string[] | undefined;
  /** Keys that came later. */
  #unsorted: string[] = [];
  #bytes = 0;

  get size(): number {
    return this.#byKey.size;
  }

  /** Of keys and values, about. */
  get bytes(): number {
    return this.#bytes;
  }

  /** @returns undefined when nothing is known of the key here. */
  get(key: string): RecentValue | undefined {
    return this.#byKey.get(key);
  }

  set(key: string, value: RecentValue): void {
    const before = this.#byKey.get(key);
    if (before === undefined) {
      this.#bytes += key.length;
      if (this.#sorted !== undefined) this.#unsorted.push(key);
    }
    this.#bytes += bytesOf(value) - bytesOf(before);
    this.#byKey.set(key, value);
  }

  /** Keys with start ≤ key < end, ascending. */
  keys(start: string, end: string): string[] {
    const sorted = this.#inOrder();
    return sorted.slice(firstNotBelow(sorted, start), firstNotBelow(sorted, end));
  }

  /** All entries, ascending. */
  *ascending(): Generator<[key: string, value: RecentValue]> {
    for (const key of this.#inOrder()) yield [key, this.#byKey.get(key)!];
  }

  clear(): void {
    this.#byKey.clear();
    this.#sorted = undefined;
    this.#unsorted = [];
    this.#bytes = 0;
  }

  /** Most tables are never asked for a range: nothing is sorted before the first. */
  #inOrder(): readonly string[] {
    if (this.#sorted === undefined) this.#sorted = [...this.#byKey.keys()].sort();
    else if (this.#unsorted.length > 0) this.#sorted = merge(this.#sorted, this.#unsorted.sort());
    this.#unsorted = [];
    return this.#sorted;
  }
}

function bytesOf(value: RecentValue | undefined): number {
  return value === undefined || value === removed ? 0 : value.length;
}

function merge(a: readonly string[], b: readonly string[]): string[] {
  const merged: string[] = [];
  let next = 0;
  for (const key of a) {
    while (next < b.length && b[next]! < key) merged.push(b[next++]!);
    merged.push(key);
  }
  while (next < b.length) merged.push(b[next++]!);
  return merged;
}

/** Index of the first key that is not below the bound. */
function firstNotBelow(sorted: readonly string[], bound: string): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! < bound) low = middle + 1;
    else high = middle;
  }
  return low;
}
