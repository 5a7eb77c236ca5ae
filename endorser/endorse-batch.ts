import { Fault, limits } from '#base';
import type { Log } from '#base';
import type { EndorseItem, NodeEndorsement, SignerClient } from '#formats';
import type { HeldNode, NodeKey } from './nodes.ts';

/** One payload and the nodes that shall endorse it. */
export interface EndorsementWish {
  /** protos.ProposalResponsePayload bytes. */
  payload: Uint8Array;
  nodes: readonly HeldNode[];
}

/** Its endorsements, in the nodes' order; or why there are none. */
export type EndorsementMade = NodeEndorsement[] | Fault;

/** A call is one frame on the link; a quarter leaves room for its fields. */
const callBytesMax = limits.frameBytesMax / 4;

/**
 * Has many payloads endorsed in as few calls to the signer hosts as frames allow, the hosts side by
 * side. One payload that a host refuses costs the others nothing but a second call.
 *
 * @returns one entry per wish.
 */
export async function endorseBatch(
  wishes: readonly EndorsementWish[],
  log: Log,
): Promise<EndorsementMade[]> {
  const jobs = wishes.flatMap(({ payload, nodes }, wish) =>
    nodes.map((node, place): Job => ({
      wish,
      place,
      node,
      key: node.key(),
      payload,
      made: undefined,
    })),
  );
  const bySigner = Map.groupBy(jobs, ({ node }) => node.signer);
  await Promise.all(
    [...bySigner].map(async ([signer, own]) => {
      for (const batch of batchesOf(own)) await signBatch(signer, batch, log);
    }),
  );
  const byWish = Map.groupBy(jobs, ({ wish }) => wish);
  return wishes.map((_wish, index) => gather(byWish.get(index) ?? []));
}

interface Job {
  wish: number;
  place: number;
  node: HeldNode;
  /** As it was when its signature was asked for. */
  key: NodeKey;
  payload: Uint8Array;
  made: Uint8Array | Fault | undefined;
}

async function signBatch(signer: SignerClient, batch: readonly Job[], log: Log): Promise<void> {
  let left = batch;
  while (left.length > 0) {
    try {
      for (const job of left) job.key = job.node.key();
      const signatures = await signer.endorse(left.map(itemOf));
      for (const [index, job] of left.entries()) job.made = signatures[index];
      return;
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      const refused = left[Number(error.detail['index'] ?? Number.NaN)];
      log.warn({ code: error.code, node: refused?.node.name }, 'a signer host did not endorse');
      for (const job of refused === undefined ? left : [refused]) job.made = error;
      left = left.filter((job) => job.made === undefined);
    }
  }
}

function itemOf({ key, payload }: Job): EndorseItem {
  return { keyLabel: key.label, proposalResponsePayload: payload };
}

/**
 * All of a payload's endorsements or none: whoever asked for two has no use for one. Only a node whose
 * host is away is left out, so that it is known which one to replace.
 */
function gather(jobs: readonly Job[]): EndorsementMade {
  const endorsements: NodeEndorsement[] = [];
  for (const { node, key, made } of jobs) {
    if (made instanceof Fault && made.kind === 'busy') continue;
    if (made instanceof Fault) return made;
    const endorsement = { endorser: key.serializedIdentity, signature: made as Uint8Array };
    endorsements.push({ node: node.name, endorsement });
  }
  return endorsements;
}

function batchesOf(jobs: readonly Job[]): Job[][] {
  const batches: Job[][] = [];
  let bytes = 0;
  for (const job of jobs) {
    const last = batches.at(-1);
    bytes += job.payload.length;
    if (last === undefined || last.length >= limits.signBatchMax || bytes > callBytesMax) {
      batches.push([job]);
      bytes = job.payload.length;
    } else {
      last.push(job);
    }
  }
  return batches;
}
