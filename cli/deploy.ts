import { createHash } from 'node:crypto';
import { systemClock, toBase64 } from '#base';
import { lifecycleNamespace } from '#formats';
import { builtInContract } from '#wasm';
import { signRequest } from './client-key.ts';
import { clientKey } from './clients.ts';
import { readNamed } from './named-file.ts';
import { openNetwork, serviceOf } from './network-open.ts';
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

/** Functions of `_lifecycle` that an administrator needs a grant for. */
export const lifecycleFunctions = ['approve', 'commit'] as const;

const lifetimeSeconds = 300;

/**
 * Posts the approvals of several organisations' administrators in one call.
 *
 * @param kids whitelisted identities with the admin role and a grant for `_lifecycle`.
 * @returns what the service answered each.
 */
export async function approveContract(
  dir: string,
  kids: readonly string[],
  deployment: Deployment,
): Promise<{ status: number }[]> {
  const network = openNetwork(dir);
  const operations = [{ function: 'approve', args: [...named(deployment), hashOf(deployment)] }];
  const requests = kids.map((kid) =>
    signRequest(clientKey(dir, kid), kid, {
      channel: network.spec.channel,
      contract: lifecycleNamespace,
      operations,
      lifetimeSeconds,
      nowMs: systemClock.nowMs(),
    }),
  );
  const answers = await serviceOf(network).postMany(requests);
  return answers as { status: number }[];
}

/** Puts a definition that enough organisations have approved in force, with its code. */
export function commitContract(
  dir: string,
  kid: string,
  deployment: Deployment,
): Promise<ServiceAnswer> {
  const operations = [
    { function: 'commit', args: [...named(deployment), toBase64(deployment.code)] },
  ];
  return postRequest({ dir, kid, contract: lifecycleNamespace, operations });
}

/**
 * Has a contract approved by the organisations' administrators, then committed by the first of them.
 *
 * @returns the answer to the commit, or to the first approval that failed.
 */
export async function deployContract(
  dir: string,
  kids: readonly string[],
  deployment: Deployment,
): Promise<ServiceAnswer> {
  const answers = await approveContract(dir, kids, deployment);
  const failed = answers.find(({ status }) => status !== 200);
  if (failed !== undefined) return { status: failed.status, body: failed };
  return commitContract(dir, kids[0] ?? '', deployment);
}

/** A contract's code: a `.wasm` file, or the name of one that comes with the product. */
export async function contractCode(nameOrFile: string): Promise<Uint8Array> {
  if (nameOrFile.endsWith('.wasm')) return readNamed(nameOrFile);
  return builtInContract(nameOrFile);
}

function named({ name, version, sequence, policy }: Deployment): string[] {
  return [name, version, String(sequence), policy];
}

function hashOf({ code }: Deployment): string {
  return createHash('sha256').update(code).digest('hex');
}
