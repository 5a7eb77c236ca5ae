import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildContract } from '#wasm';
import { temporaryDir } from './softhsm.ts';
import type { TestScope } from './softhsm.ts';

/** Compiles one of test/wasm/contracts/. */
export async function compiledContract(t: TestScope, name: string): Promise<Uint8Array> {
  const source = join(import.meta.dirname, '..', 'wasm', 'contracts', `${name}.as.ts`);
  const outFile = join(temporaryDir(t), `${name}.wasm`);
  await buildContract(source, outFile);
  return new Uint8Array(readFileSync(outFile));
}
