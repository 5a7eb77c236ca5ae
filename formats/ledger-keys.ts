import { equalBytes } from '#base';
import { readRotation } from './key-rotation.ts';
import type { VerifiedRotation } from './key-rotation.ts';
import { lifecycleKeys, lifecycleNamespace } from './lifecycle.ts';

/** What is needed of a ledger. */
interface Heights {
  readonly height: bigint;
  get(namespace: string, key: string): { value: Uint8Array } | undefined;
}

/**
 * The newest rotation of each key as of the ledger's height: a record holds from the block after its
 * own, for everybody who stands at that height.
 */
export class LedgerKeys {
  readonly #ledger: Heights;
  readonly #known = new Map<string, { record: Uint8Array; rotation: VerifiedRotation }>();
  readonly #looked = new Set<string>();
  #height = -1n;

  constructor(ledger: Heights) {
    this.#ledger = ledger;
  }

  get height(): bigint {
    return this.#ledger.height;
  }

  /**
   * @returns the same object until another rotation of the key is on the ledger; undefined while its
   *   first version serves.
   */
  rotationOf(key: string): VerifiedRotation | undefined {
    const { height } = this.#ledger;
    if (height !== this.#height) this.#looked.clear();
    this.#height = height;
    if (!this.#looked.has(key)) this.#look(key);
    return this.#known.get(key)?.rotation;
  }

  #look(key: string): void {
    this.#looked.add(key);
    const record = this.#ledger.get(lifecycleNamespace, lifecycleKeys.rotation(key))?.value;
    if (record === undefined) return;
    const known = this.#known.get(key);
    if (known !== undefined && equalBytes(known.record, record)) return;
    this.#known.set(key, { record, rotation: readRotation(record) });
  }
}
