import { setTimeout as wait } from 'node:timers/promises';
import { Fault, equalBytes, httpStatusOf, limits } from '#base';
import type { FaultKind, Log } from '#base';
import { SharedStart } from '#crypto';
import { ProposalResponsePayload, proposalHash } from '#formats';
import type { BuiltProposal, Endorsement, NodeEndorsement } from '#formats';
import type { ChannelConfig, Identity } from '#policy';
import type { RoutingConfig } from './config.ts';
import type { EndorserPool } from './endorser-pool.ts';
import { fault } from './faults.ts';
import { chooseAssignments } from './routing.ts';
import type { Assignment, Choice } from './routing.ts';

/** A proposal on its way to the endorsers. */
export interface EndorsementJob<Final> {
  contract: string;
  proposal: BuiltProposal;
  /** @returns sets of nodes whose endorsements together are what is wanted, the preferred first. */
  alternatives: (reachable: ReadonlySet<string>) => string[][];
  /** Asks one endorser. @throws Fault when it did not serve. */
  ask: (assignment: Assignment) => Promise<EndorserAnswer<Final>>;
  /** Whether endorsers may stand on different heights, and so come to different results in earnest. */
  heightsDiffer?: boolean;
}

export type EndorserAnswer<Final> =
  | { kind: 'endorsed'; proposalResponsePayload: Uint8Array; endorsements: NodeEndorsement[] }
  /** What asking others would not change. */
  | { kind: 'final'; final: Final };

export type EndorsementResult<Final> =
  | { kind: 'endorsed'; proposalResponsePayload: Uint8Array; endorsements: Endorsement[] }
  | { kind: 'final'; final: Final }
  | { kind: 'failed'; fault: Fault };

export interface CollectorParts {
  pool: EndorserPool;
  routing: RoutingConfig;
  log: Log;
  config: () => ChannelConfig;
  /** The identity of a node, if these bytes are that of its present key or of the one before. */
  endorserOf: (node: string, serialized: Uint8Array) => Identity | undefined;
}

/** What one attempt has gathered. */
interface Gathered {
  payload: Uint8Array | undefined;
  byNode: Map<string, Endorsement>;
}

/** Who failed a task so far, so that others are asked. */
interface Failed {
  endorsers: Set<string>;
  nodes: Set<string>;
}

/**
 * Has a proposal endorsed: chooses target nodes and endorsers by the routing mode, verifies every
 * endorsement that comes back, and asks for a failed or wrong one again, elsewhere where that is
 * possible.
 */
export class EndorsementCollector {
  readonly #parts: CollectorParts;
  #turn = 0;

  constructor(parts: CollectorParts) {
    this.#parts = parts;
  }

  /** Names of the nodes whose keys are in reach now. */
  reachableNodes(): Set<string> {
    return new Set(this.#parts.pool.states().flatMap((one) => (one.reachable ? one.nodes : [])));
  }

  async collect<Final>(job: EndorsementJob<Final>): Promise<EndorsementResult<Final>> {
    const { pool, routing } = this.#parts;
    const failed: Failed = { endorsers: new Set(), nodes: new Set() };
    const turn = (this.#turn += 1) - 1;
    let lastFault: Fault | undefined;
    for (let attempt = 0; attempt < limits.endorseAttemptsMax; attempt += 1) {
      const tried = { failedEndorsers: failed.endorsers, failedNodes: failed.nodes, attempt, turn };
      const alternatives = job.alternatives(this.reachableNodes());
      const choice = chooseAssignments(routing, alternatives, pool.states(), tried);
      if (choice === undefined) {
        // All are there and cannot: nothing is gained by holding up the other bundles.
        if (pool.states().every(({ reachable }) => reachable)) break;
        // One that was busy or starts anew is back in a moment; a refusal would be for good.
        await wait(limits.endorserReturnWaitMs * attempt);
        await pool.refresh();
        continue;
      }
      const result = await this.#attempt(job, choice, failed);
      if (result.kind !== 'failed') return result;
      lastFault = result.fault;
    }
    return { kind: 'failed', fault: finalFault(job.contract, lastFault) };
  }

  async #attempt<Final>(
    job: EndorsementJob<Final>,
    { nodes, assignments }: Choice,
    failed: Failed,
  ): Promise<EndorsementResult<Final>> {
    const gathered: Gathered = { payload: undefined, byNode: new Map() };
    const answers = await Promise.all(
      assignments.map(async (assignment) => ({
        assignment,
        answer: await askOrFault(job, assignment),
      })),
    );
    let lastFault: Fault | undefined;
    for (const { assignment, answer } of answers) {
      if (!(answer instanceof Fault) && answer.kind === 'final') return answer;
      const wrong =
        answer instanceof Fault ? answer : this.#take(job.proposal, assignment, answer, gathered);
      if (wrong === undefined) continue;
      lastFault = wrong;
      if (!(answer instanceof Fault)) noteMissing(assignment, answer, failed);
      this.#note(assignment, wrong, failed, job.heightsDiffer === true);
    }
    if (lastFault !== undefined) return { kind: 'failed', fault: lastFault };
    const endorsements = nodes.map((node) => gathered.byNode.get(node) as Endorsement);
    const proposalResponsePayload = gathered.payload as Uint8Array;
    return { kind: 'endorsed', proposalResponsePayload, endorsements };
  }

  #note(
    { endorser, nodes }: Assignment,
    wrong: Fault,
    failed: Failed,
    heightsDiffer: boolean,
  ): void {
    const { code, detail } = wrong;
    const isHonest = heightsDiffer && code === 'MANAGER_ENDORSEMENT_DIVERGES';
    if (!isHonest) failed.endorsers.add(endorser);
    if (typeof detail['node'] === 'string') failed.nodes.add(detail['node']);
    // One that hangs or lies would hold up every bundle; what it says of itself does not.
    const isSuspect = code === 'BASE_LINK_TIMEOUT' || code.startsWith('MANAGER_ENDORSEMENT_');
    if (isSuspect && !isHonest) this.#parts.pool.rest(endorser);
    this.#parts.log.warn(
      { endorser, nodes, code, node: detail['node'] },
      'an endorsement failed and is asked for again',
    );
  }

  /** Verifies one endorser's answer. @returns what is wrong with it, or undefined. */
  #take(
    proposal: BuiltProposal,
    { endorser, nodes }: Assignment,
    answer: EndorserAnswer<never> & { kind: 'endorsed' },
    gathered: Gathered,
  ): Fault | undefined {
    const payload = answer.proposalResponsePayload;
    const byNode = new Map(answer.endorsements.map((one) => [one.node, one.endorsement]));
    const start = new SharedStart(payload);
    for (const node of nodes) {
      const endorsement = byNode.get(node);
      if (endorsement === undefined)
        return fault('MANAGER_ENDORSEMENT_MISSING', { endorser, node });
      if (!this.#isGood(node, start, endorsement)) {
        return fault('MANAGER_ENDORSEMENT_BAD', { endorser, node });
      }
    }
    if (!answers(payload, proposal)) return fault('MANAGER_ENDORSEMENT_FOREIGN', { endorser });
    // Only what is rightly endorsed can be the measure of the others.
    gathered.payload ??= payload;
    if (!equalBytes(gathered.payload, payload)) {
      return fault('MANAGER_ENDORSEMENT_DIVERGES', { endorser });
    }
    for (const node of nodes) gathered.byNode.set(node, byNode.get(node) as Endorsement);
    return undefined;
  }

  #isGood(node: string, start: SharedStart, endorsement: Endorsement): boolean {
    const { endorser, signature } = endorsement;
    const identity = this.#parts.endorserOf(node, endorser);
    if (identity === undefined) return false;
    return this.#parts.config().verifySignature(identity, endorser, signature, start);
  }
}

/** The kind decides what a client is told, so a word that is none must not get through. */
export function kindOf(word: string): FaultKind {
  return Object.hasOwn(httpStatusOf, word) ? (word as FaultKind) : 'broken';
}

/** An endorser leaves out the nodes whose tokens are away; others of their organisations may do. */
function noteMissing(
  { nodes }: Assignment,
  answer: { endorsements: readonly { node: string }[] },
  failed: Failed,
): void {
  const made = new Set(answer.endorsements.map(({ node }) => node));
  for (const node of nodes) if (!made.has(node)) failed.nodes.add(node);
}

async function askOrFault<Final>(
  job: EndorsementJob<Final>,
  assignment: Assignment,
): Promise<EndorserAnswer<Final> | Fault> {
  try {
    return await job.ask(assignment);
  } catch (error) {
    if (error instanceof Fault) return error;
    throw error;
  }
}

/** Whether the payload, whose form the signer host has checked, is about this very proposal. */
function answers(payload: Uint8Array, proposal: BuiltProposal): boolean {
  const { channelHeader, signatureHeader, proposalPayload } = proposal;
  const expected = proposalHash(channelHeader, signatureHeader, proposalPayload);
  return equalBytes(ProposalResponsePayload.decode(payload).proposalHash, expected);
}

/**
 * Why no attempt gave what was asked for. What is wrong with endorsers is not the request's fault: its
 * client may come again. One that lost a node since it told of its nodes does not know it.
 */
function finalFault(contract: string, last: Fault | undefined): Fault {
  const isTheirs =
    last === undefined ||
    last.kind === 'busy' ||
    last.code === 'ENDORSER_NODE_UNKNOWN' ||
    last.code.startsWith('MANAGER_ENDORSEMENT_');
  if (!isTheirs) return last;
  return fault('MANAGER_ENDORSERS_UNREACHABLE', { contract, code: last?.code }, last);
}
