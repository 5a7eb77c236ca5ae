import { setTimeout as wait } from 'node:timers/promises';
import { Fault, concatBytes, equalBytes, httpStatusOf, limits } from '#base';
import type { FaultKind, Log } from '#base';
import { ProposalResponsePayload, proposalHash } from '#formats';
import type { BuiltProposal, ClientCertificate, EndorseOutcome, Endorsement } from '#formats';
import { planEndorsement } from '#policy';
import type { ChannelConfig, NodeIdentity } from '#policy';
import type { RoutingConfig } from './config.ts';
import type { EndorserPool } from './endorser-pool.ts';
import { fault } from './faults.ts';
import { chooseAssignments } from './routing.ts';
import type { Assignment, Choice } from './routing.ts';

/** A bundle's proposal on its way to the endorsers. */
export interface EndorsementJob {
  contract: string;
  proposal: BuiltProposal;
  clients: ClientCertificate[];
  /** protos.ApplicationPolicy bytes of the contract. */
  policy: Uint8Array;
  height: bigint;
}

export type EndorsementResult =
  | { kind: 'endorsed'; proposalResponsePayload: Uint8Array; endorsements: Endorsement[] }
  | { kind: 'refused'; refusals: { requestIndex: number; fault: Fault }[] }
  | { kind: 'failed'; fault: Fault };

export interface CollectorParts {
  pool: EndorserPool;
  routing: RoutingConfig;
  log: Log;
  config: () => ChannelConfig;
  /** Public identities of all nodes of the zone, by node name. */
  nodes: () => ReadonlyMap<string, NodeIdentity>;
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
 * Has a bundle endorsed: chooses target nodes by the policy and endorsers by the routing mode,
 * verifies every endorsement that comes back, and asks for a failed or wrong one again, elsewhere
 * where that is possible.
 */
export class EndorsementCollector {
  readonly #parts: CollectorParts;
  #turn = 0;

  constructor(parts: CollectorParts) {
    this.#parts = parts;
  }

  async collect(job: EndorsementJob): Promise<EndorsementResult> {
    const { pool, routing } = this.#parts;
    const failed: Failed = { endorsers: new Set(), nodes: new Set() };
    const turn = (this.#turn += 1) - 1;
    let lastFault: Fault | undefined;
    for (let attempt = 0; attempt < limits.endorseAttemptsMax; attempt += 1) {
      const tried = { failedEndorsers: failed.endorsers, failedNodes: failed.nodes, attempt, turn };
      const choice = chooseAssignments(
        routing,
        this.#alternatives(job.policy),
        pool.states(),
        tried,
      );
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
    return { kind: 'failed', fault: finalFault(job, lastFault) };
  }

  #alternatives(policy: Uint8Array): string[][] {
    const reachable = new Set(
      this.#parts.pool.states().flatMap((one) => (one.reachable ? one.nodes : [])),
    );
    const candidates = [...this.#parts.nodes().values()].filter((one) => reachable.has(one.name));
    return planEndorsement(this.#parts.config(), policy, candidates);
  }

  async #attempt(
    job: EndorsementJob,
    { nodes, assignments }: Choice,
    failed: Failed,
  ): Promise<EndorsementResult> {
    const gathered: Gathered = { payload: undefined, byNode: new Map() };
    const answers = await Promise.all(
      assignments.map(async (assignment) => ({
        assignment,
        answer: await this.#ask(job, assignment),
      })),
    );
    let lastFault: Fault | undefined;
    for (const { assignment, answer } of answers) {
      if (!(answer instanceof Fault) && answer.refusals.length > 0) return refusedOf(answer);
      const wrong =
        answer instanceof Fault ? answer : this.#take(job, assignment, answer, gathered);
      if (wrong === undefined) continue;
      lastFault = wrong;
      this.#note(assignment, wrong, failed);
    }
    if (lastFault !== undefined) return { kind: 'failed', fault: lastFault };
    const endorsements = nodes.map((node) => gathered.byNode.get(node) as Endorsement);
    const proposalResponsePayload = gathered.payload as Uint8Array;
    return { kind: 'endorsed', proposalResponsePayload, endorsements };
  }

  #note({ endorser, nodes }: Assignment, wrong: Fault, failed: Failed): void {
    const { code, detail } = wrong;
    failed.endorsers.add(endorser);
    if (typeof detail['node'] === 'string') failed.nodes.add(detail['node']);
    // One that hangs or lies would hold up every bundle; what it says of itself does not.
    if (code === 'BASE_LINK_TIMEOUT' || code.startsWith('MANAGER_ENDORSEMENT_')) {
      this.#parts.pool.rest(endorser);
    }
    this.#parts.log.warn(
      { endorser, nodes, code, node: detail['node'] },
      'an endorsement failed and is asked for again',
    );
  }

  async #ask(job: EndorsementJob, assignment: Assignment): Promise<EndorseOutcome | Fault> {
    const { channelHeader, signatureHeader, proposalPayload } = job.proposal;
    try {
      const [outcome] = await this.#parts.pool.endorse(
        assignment.endorser,
        [
          {
            channelHeader,
            signatureHeader,
            proposalPayload,
            targetNodes: assignment.nodes,
            clients: job.clients,
          },
        ],
        job.height,
      );
      if (outcome === undefined) return fault('MANAGER_ENDORSEMENT_MISSING');
      if (outcome.faultCode === '') return outcome;
      return new Fault(outcome.faultCode, kindOf(outcome.faultKind), outcome.faultSentence, {});
    } catch (error) {
      if (error instanceof Fault) return error;
      throw error;
    }
  }

  /** Verifies one endorser's answer. @returns what is wrong with it, or undefined. */
  #take(
    { proposal }: EndorsementJob,
    { endorser, nodes }: Assignment,
    outcome: EndorseOutcome,
    gathered: Gathered,
  ): Fault | undefined {
    const payload = outcome.proposalResponsePayload;
    const byNode = new Map(outcome.endorsements.map((one) => [one.node, one.endorsement]));
    for (const node of nodes) {
      const endorsement = byNode.get(node);
      if (endorsement === undefined)
        return fault('MANAGER_ENDORSEMENT_MISSING', { endorser, node });
      if (!this.#isGood(node, payload, endorsement)) {
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

  #isGood(node: string, payload: Uint8Array, endorsement: Endorsement): boolean {
    const expected = this.#parts.nodes().get(node);
    if (expected === undefined) return false;
    if (!equalBytes(expected.identity.serialized, endorsement.endorser)) return false;
    return this.#parts
      .config()
      .verifySignature(
        expected.identity,
        concatBytes(payload, endorsement.endorser),
        endorsement.signature,
      );
  }
}

function refusedOf(outcome: EndorseOutcome): EndorsementResult {
  return {
    kind: 'refused',
    refusals: outcome.refusals.map(({ requestIndex, code, kind, sentence }) => ({
      requestIndex,
      fault: new Fault(code, kindOf(kind), sentence, {}),
    })),
  };
}

/** The kind decides what a client is told, so a word that is none must not get through. */
function kindOf(word: string): FaultKind {
  return Object.hasOwn(httpStatusOf, word) ? (word as FaultKind) : 'broken';
}

/** Whether the payload, whose form the signer host has checked, is about this very proposal. */
function answers(payload: Uint8Array, proposal: BuiltProposal): boolean {
  const { channelHeader, signatureHeader, proposalPayload } = proposal;
  const expected = proposalHash(channelHeader, signatureHeader, proposalPayload);
  return equalBytes(ProposalResponsePayload.decode(payload).proposalHash, expected);
}

/**
 * Why no attempt gave what the policy asks for. What is wrong with endorsers is not the request's
 * fault: its client may come again.
 */
function finalFault({ contract }: EndorsementJob, last: Fault | undefined): Fault {
  const isTheirs =
    last === undefined || last.kind === 'busy' || last.code.startsWith('MANAGER_ENDORSEMENT_');
  if (!isTheirs) return last;
  return fault('MANAGER_ENDORSERS_UNREACHABLE', { contract, code: last?.code }, last);
}
