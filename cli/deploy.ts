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
 * Approves a definition with its code's hash.
 *
 * @param kid a whitelisted identity with the admin role and a grant for `_lifecycle`.
 */
export function approveContract(
  dir: string,
  kid: string,
  deployment: Deployment,
): Promise<ServiceAnswer> {
  const operations = [approvalOf(deployment)];
  return postRequest({ dir, kid, contract: lifecycleNamespace, operations });
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
 * Has a contract approved by the organisations' administrators, in one call and so in one block, then
 * committed by the first of them.
 *
 * @returns the answer to the commit, or to the first approval that failed.
 */
export async function deployContract(
  dir: string,
  kids: readonly string[],
  deployment: Deployment,
): Promise<ServiceAnswer> {
  const network = openNetwork(dir);
  const approvals = kids.map((kid) =>
    signRequest(clientKey(dir, kid), kid, {
      channel: network.spec.channel,
      contract: lifecycleNamespace,
      operations: [approvalOf(deployment)],
      lifetimeSeconds,
      nowMs: systemClock.nowMs(),
    }),
  );
  const answers = (await serviceOf(network).postMany(approvals)) as ApprovalLine[];
  const failed = answers.find(({ status }) => status !== 200);
  if (failed !== undefined) return { status: failed.status, body: failed.problem ?? failed };
  return commitContract(dir, kids[0] ?? '', deployment);
}

interface ApprovalLine {
  status: number;
  problem?: unknown;
}

/** A contract's code: a `.wasm` file, or the name of one that comes with the product. */
export async function contractCode(nameOrFile: string): Promise<Uint8Array> {
  if (nameOrFile.endsWith('.wasm')) return readNamed(nameOrFile);
  return builtInContract(nameOrFile);
}

function named({ name, version, sequence, policy }: Deployment): string[] {
  return [name, version, String(sequence), policy];
}

function approvalOf(deployment: Deployment) {
  const codeHash = createHash('sha256').update(deployment.code).digest('hex');
  return { function: 'approve', args: [...named(deployment), codeHash] };
}
