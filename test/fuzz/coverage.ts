import { isConfigBlock, validationCodeName } from '#formats';
import type { BuiltBlock } from './fuzz-chain.ts';
import { mutations } from './mutation-kinds.ts';

/** What the blocks compared so far have reached. */
export class Coverage {
  blocks = 0;
  transactions = 0;
  largestBlock = 0;
  readonly #codes = new Map<string, number>();
  /** By kind of mutation, then by code. */
  readonly #kinds = new Map<string, Map<string, number>>();

  add(blocks: readonly BuiltBlock[]): void {
    for (const { block, transactions, committed } of blocks) {
      this.blocks += 1;
      this.transactions += transactions.length;
      this.largestBlock = Math.max(this.largestBlock, transactions.length);
      for (const [index, { recipe }] of transactions.entries()) {
        const code = validationCodeName(committed.codes[index]!);
        count(this.#codes, code);
        const kinds = new Set(recipe?.mutations.map(({ kind }) => kind));
        if (isConfigBlock(block)) kinds.add('configuration');
        for (const kind of kinds.size === 0 ? ['none'] : kinds) {
          const codes = this.#kinds.get(kind) ?? new Map<string, number>();
          this.#kinds.set(kind, codes);
          count(codes, code);
        }
      }
    }
  }

  /** Kinds of mutation that came into no block. */
  get missing(): string[] {
    return [...mutations.keys()].filter((kind) => !this.#kinds.has(kind));
  }

  get codes(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#codes].toSorted(([, a], [, b]) => b - a));
  }

  toJSON(): object {
    const { blocks, transactions, largestBlock, codes, missing } = this;
    const kinds = Object.fromEntries(
      [...this.#kinds]
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .map(([kind, counts]) => [kind, Object.fromEntries(counts)]),
    );
    return { blocks, transactions, largestBlock, codes, mutations: kinds, missing };
  }

  /** For people. */
  toString(): string {
    const rows = [...this.#kinds]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([kind, counts]) => {
        const codes = [...counts].toSorted(([, a], [, b]) => b - a);
        return `${kind.padEnd(44)} ${codes.map(([code, of]) => `${code} ${of}`).join(', ')}`;
      });
    return [
      ...rows,
      '',
      ...Object.entries(this.codes).map(([code, of]) => `${String(of).padStart(7)} ${code}`),
      '',
      `${this.blocks} blocks, ${this.transactions} transactions, ${this.largestBlock} in the largest`,
      `${mutations.size - this.missing.length} of ${mutations.size} kinds of mutation; missing: ${this.missing.join(', ') || 'none'}`,
    ].join('\n');
  }
}

function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
