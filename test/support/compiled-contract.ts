import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildContract } from '#wasm';
import type { Test } from 'tap';

/** Compiles one of test/wasm/contracts/ into the test's own folder. */
export async function compiledContract(t: Test, name: string): Promise<Uint8Array> {
  const source = join(import.meta.dirname, '..', 'wasm', 'contracts', `${name}.as.ts`);
  const outFile = join(t.testdir({}), `${name}.wasm`);
  await buildContract(source, outFile);
  return new Uint8Array(readFileSync(outFile));
}
