import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Recipe } from './recipe.ts';

/** Recipes that once told stock peers and ours apart. */
export const vectorsDir = join(import.meta.dirname, '..', 'vectors', 'fuzz-diff');

export interface FuzzVector {
  readonly name: string;
  /** What it shows, as a sentence. */
  readonly title?: string;
  readonly recipe: Recipe;
}

export function fuzzVectors(): FuzzVector[] {
  return globSync('*.json', { cwd: vectorsDir })
    .toSorted()
    .map((file) => {
      const parsed = JSON.parse(readFileSync(join(vectorsDir, file), 'utf8')) as FuzzVector;
      return { ...parsed, name: basename(file, '.json') };
    });
}
