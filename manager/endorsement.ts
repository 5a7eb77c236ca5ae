import { Fault, concatBytes, equalBytes, limits } from '#base';
import type { FaultKind, Log } from '#base';
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

/**
 * Has a bundle endorsed: chooses target nodes by the policy and endorsers by the routing mode,
 * verifies every endorsement that comes back, and asks for a failed or wrong one again, elsewhere
 * where that is possible.
 */
export class EndorsementCollector {
  readonly #parts: CollectorParts;

  constructor(parts: CollectorParts) {
    this.#parts = parts;
  }

  async collect(job: EndorsementJob): Promise<EndorsementResult> {
    const alternatives = this.#alternatives(job.policy);
    const failed = new Set<string>();
    let lastFault: Fault = fault('MANAGER_ENDORSERS_UNREACHABLE', { contract: job.contract });
    for (let attempt = 0; attempt < limits.endorseAttemptsMax; attempt += 1) {
      const choice = chooseAssignments(
        this.#parts.routing,
        alternatives,
        this.#parts.pool.states(),
        { failedEndorsers: failed, attempt },
      );
      if (choice === undefined) {
        await this.#parts.pool.refresh();
        continue;
      }
      const result = await this.#attempt(job, choice, failed);
      if (result.kind !== 'failed') return result;
      lastFault = result.fault;
    }
    return { kind: 'failed', fault: lastFault };
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
    failed: Set<string>,
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
      const wrong = answer instanceof Fault ? answer : this.#take(assignment, answer, gathered);
      if (wrong === undefined) continue;
      lastFault = wrong;
      failed.add(assignment.endorser);
      this.#parts.log.warn(
        { endorser: assignment.endorser, nodes: assignment.nodes, code: wrong.code },
        'an endorsement failed and is asked for again',
      );
    }
    if (lastFault !== undefined) return { kind: 'failed', fault: lastFault };
    const endorsements = nodes.map((node) => gathered.byNode.get(node) as Endorsement);
    const proposalResponsePayload = gathered.payload as Uint8Array;
    return { kind: 'endorsed', proposalResponsePayload, endorsements };
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
      return new Fault(outcome.faultCode, 'broken', outcome.faultSentence, {});
    } catch (error) {
      if (error instanceof Fault) return error;
      throw error;
    }
  }

  /** Verifies one endorser's answer. @returns what is wrong with it, or undefined. */
  #take(assignment: Assignment, outcome: EndorseOutcome, gathered: Gathered): Fault | undefined {
    const { endorser } = assignment;
    const payload = outcome.proposalResponsePayload;
    gathered.payload ??= payload;
    if (!equalBytes(gathered.payload, payload)) {
      return fault('MANAGER_ENDORSEMENT_DIVERGES', { endorser });
    }
    const byNode = new Map(outcome.endorsements.map((one) => [one.node, one.endorsement]));
    for (const node of assignment.nodes) {
      const endorsement = byNode.get(node);
      if (endorsement === undefined)
        return fault('MANAGER_ENDORSEMENT_MISSING', { endorser, node });
      if (!this.#isGood(node, payload, endorsement)) {
        return fault('MANAGER_ENDORSEMENT_BAD', { endorser, node });
      }
      gathered.byNode.set(node, endorsement);
    }
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
      fault: new Fault(code, kind as FaultKind, sentence, {}),
    })),
  };
}
