import { compareKeys } from '#formats';
import type { Version } from '#formats';

/** What a block does to one key. */
export interface Update {
  /** Absent: the key is deleted. */
  value: Uint8Array | undefined;
  /** kvrwset.KVMetadataWrite bytes with entries only. */
  metadata: Uint8Array | undefined;
  version: Version;
}

/** What the valid transactions of one block so far do to the state; the last update of a key wins. */
export class UpdateBatch {
  readonly #namespaces = new Map<string, Map<string, Update>>();
  readonly #withMetadata = new Set<string>();

  /** Namespaces of which some key gets metadata. */
  get namespacesWithMetadata(): Iterable<string> {
    return this.#withMetadata;
  }

  get(namespace: string, key: string): Update | undefined {
    return this.#namespaces.get(namespace)?.get(key);
  }

  set(namespace: string, key: string, update: Update): void {
    let updates = this.#namespaces.get(namespace);
    if (updates === undefined) {
      updates = new Map();
      this.#namespaces.set(namespace, updates);
    }
    updates.set(key, update);
    if (update.metadata !== undefined) this.#withMetadata.add(namespace);
  }

  /** Namespaces in bytewise order. */
  namespaces(): string[] {
    return [...this.#namespaces.keys()].sort(compareKeys);
  }

  /** Updates of a namespace, in the order in which they came. */
  entries(namespace: string): Iterable<[key: string, update: Update]> {
    return this.#namespaces.get(namespace) ?? [];
  }

  /** Updates of a namespace with start ≤ key < end in bytewise order; empty: no bound. */
  sorted(namespace: string, start = '', end = ''): [key: string, update: Update][] {
    const inside = [...(this.#namespaces.get(namespace) ?? [])].filter(
      ([key]) => compareKeys(key, start) >= 0 && (end === '' || compareKeys(key, end) < 0),
    );
    return inside.sort(([a], [b]) => compareKeys(a, b));
  }
}
