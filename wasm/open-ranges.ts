import { limits } from '#base';

type Entry = readonly [string, Uint8Array];

interface OpenRange {
  readonly entries: Iterator<Entry>;
  value: Uint8Array | undefined;
}

/** The range iterators of one invocation; handles count up and are never used twice. */
export class OpenRanges {
  readonly #open = new Map<number, OpenRange>();
  #lastHandle = 0;

  get full(): boolean {
    return this.#open.size >= limits.contractRangesOpenMax;
  }

  open(entries: Iterable<Entry>): number {
    this.#lastHandle += 1;
    this.#open.set(this.#lastHandle, { entries: entries[Symbol.iterator](), value: undefined });
    return this.#lastHandle;
  }

  /** A range that came to its end closes itself. */
  next(handle: number): Entry | 'end' | 'closed' {
    const range = this.#open.get(handle);
    if (range === undefined) return 'closed';
    const step = range.entries.next();
    if (step.done === true) {
      this.#open.delete(handle);
      return 'end';
    }
    range.value = step.value[1];
    return step.value;
  }

  /** The value at the place where {@link next} stopped; undefined when there is none. */
  value(handle: number): Uint8Array | undefined {
    return this.#open.get(handle)?.value;
  }

  close(handle: number): boolean {
    const range = this.#open.get(handle);
    if (range === undefined) return false;
    this.#open.delete(handle);
    range.entries.return?.();
    return true;
  }

  /** Closes all and counts handles from 1 again, so that every invocation sees the same ones. */
  closeAll(): void {
    for (const handle of this.#open.keys()) this.close(handle);
    this.#lastHandle = 0;
  }
}
