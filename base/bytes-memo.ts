import { equalBytes } from './bytes.ts';

/**
 * Values by bytes that are long, such as certificates: a few of them find the entry, and the rest is
 * compared. A text of each key would be made, hashed and thrown away at every look.
 *
 * In two generations: what the older one holds and nobody asks for goes.
 */
export class BytesMemo<Value> {
  readonly #generationSize: number;
  #young = new Map<number, Entry<Value>>();
  #old = new Map<number, Entry<Value>>();

  /** @param sizeMax values kept at most. */
  constructor(sizeMax: number) {
    this.#generationSize = Math.ceil(sizeMax / 2);
  }

  get(key: Uint8Array): Value | undefined {
    const place = placeOf(key);
    const young = this.#young.get(place);
    if (young !== undefined) return valueIn(young, key);
    const old = this.#old.get(place);
    const value = valueIn(old, key);
    if (old !== undefined && value !== undefined) this.#keep(place, old);
    return value;
  }

  /** Of two keys at one place the later stays. */
  set(key: Uint8Array, value: Value): void {
    this.#keep(placeOf(key), { key: Uint8Array.from(key), value });
  }

  #keep(place: number, entry: Entry<Value>): void {
    if (this.#young.size >= this.#generationSize) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(place, entry);
  }
}

interface Entry<Value> {
  key: Uint8Array;
  value: Value;
}

function valueIn<Value>(entry: Entry<Value> | undefined, key: Uint8Array): Value | undefined {
  return entry !== undefined && equalBytes(entry.key, key) ? entry.value : undefined;
}

/** Where certificates differ most: in the signature, which is last, before the last line of a PEM. */
const tailBytes = 64;
const sampleBytes = 24;

/** Whoever makes two keys meet has only made himself slower. @see RFC draft-eastlake-fnv, 32 bits. */
function placeOf(key: Uint8Array): number {
  const start = Math.max(0, key.length - tailBytes);
  const end = Math.min(key.length, start + sampleBytes);
  let place = 0x811c9dc5 ^ key.length;
  for (let index = start; index < end; index += 1)
    place = Math.imul(place ^ key[index]!, 0x01000193);
  return place;
}
