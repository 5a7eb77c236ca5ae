import { join } from 'node:path';
import { keptContract } from '#wasm';

/** The code of one of test/wasm/contracts/. */
export async function compiledContract(name: string): Promise<Uint8Array> {
  return keptContract(join(import.meta.dirname, '..', 'wasm', 'contracts', `${name}.as.ts`), name);
}
