import { toBase64 } from '#base';
import { lifecycleNamespace } from '#formats';
import { builtInContract } from '#wasm';
import { readNamed } from './named-file.ts';
import { postRequest } from './post-request.ts';
import type { ServiceAnswer } from './service-client.ts';

export interface Deployment {
  name: string;
  version: string;
  sequence: number;
  /** Fabric's policy text, or `reference:` and a channel policy's path. */
  policy: string;
  code: Uint8Array;
}

/**
 * Posts a contract's definition and code as a request of an organisation's administrator.
 *
 * @param kid a whitelisted identity with the admin role and a grant for `_lifecycle`.
 */
export function deployContract(
  dir: string,
  kid: string,
  deployment: Deployment,
): Promise<ServiceAnswer> {
  const { name, version, sequence, policy, code } = deployment;
  const args = [name, version, String(sequence), policy, toBase64(code)];
  const operations = [{ function: 'deploy', args }];
  return postRequest({ dir, kid, contract: lifecycleNamespace, operations });
}

/** A contract's code: a `.wasm` file, or the name of one that comes with the product. */
export async function contractCode(nameOrFile: string): Promise<Uint8Array> {
  if (nameOrFile.endsWith('.wasm')) return readNamed(nameOrFile);
  return builtInContract(nameOrFile);
}
