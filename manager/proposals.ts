import { Fault, limits } from '#base';
import { ProposalTask, buildEnvelopePayload } from '#formats';
import type { Endorsement, ProposalOutcome, Response } from '#formats';
import { kindOf } from './endorsement.ts';
import type { EndorsementCollector, EndorserAnswer } from './endorsement.ts';
import type { EndorserPool } from './endorser-pool.ts';
import { fault } from './faults.ts';
import type { NodePlans } from './node-plans.ts';
import type { ProposalOutbox } from './proposal-outbox.ts';
import type { ReadProposal } from './signed-proposal.ts';

export interface ProposalsParts {
  collector: EndorsementCollector;
  outbox: ProposalOutbox;
  plans: NodePlans;
  pool: Pick<EndorserPool, 'states'>;
  /** protos.ApplicationPolicy bytes of a contract. @throws MANAGER_CONTRACT_UNKNOWN */
  policyOf: (contract: string) => Uint8Array;
}

/** What became of a client's proposal. */
export type ProposalResult = EndorsedProposal | UnendorsedProposal;

export interface EndorsedProposal {
  kind: 'endorsed';
  response: Response;
  /** protos.ProposalResponsePayload bytes, the same for all endorsements. */
  proposalResponsePayload: Uint8Array;
  endorsements: Endorsement[];
  /** common.Payload bytes for the creator to sign. */
  payload: Uint8Array;
}

export type UnendorsedProposal = { asked: Asked | undefined } &
  /** The contract's answer alone: only it was asked for, or its status is 400 or more. */
  (
    | { kind: 'answered'; response: Response }
    /** The proposal is wrong, or its client may not make it: nothing was run. */
    | { kind: 'refused'; fault: Fault }
    /** It could not be run or endorsed. */
    | { kind: 'failed'; fault: Fault }
  );

/** Who was asked last, with the keys of which nodes; nobody when nobody was in reach. */
export interface Asked {
  endorser: string;
  nodes: readonly string[];
}

/** Answers of this status and above are the contract's refusals. @see Fabric shim.ERRORTHRESHOLD */
export function isContractError({ status }: Response): boolean {
  return status < 200 || status >= 400;
}

export interface EndorseOptions {
  /** MSP ids that shall endorse once each; absent: as the contract's policy demands. */
  organizations?: readonly string[];
  /** What a call of the lifecycle refers to by SHA-256. */
  attachments?: Uint8Array[];
}

/** Has clients' own proposals executed and endorsed; those in flight together go out together. */
export class Proposals {
  readonly #parts: ProposalsParts;
  #turn = 0;

  constructor(parts: ProposalsParts) {
    this.#parts = parts;
  }

  /**
   * Runs the contract and tells its answer; nothing is endorsed.
   *
   * @param mspids one of whose endorsers shall be asked; empty: any.
   */
  async evaluate(
    proposal: ReadProposal,
    mspids: readonly string[] = [],
  ): Promise<UnendorsedProposal> {
    const failed = new Set<string>();
    let asked: Asked | undefined;
    let last = fault('MANAGER_ENDORSERS_UNREACHABLE', { contract: proposal.contract });
    for (let attempt = 0; attempt < limits.endorseAttemptsMax; attempt += 1) {
      asked = this.#evaluator(mspids, failed) ?? asked;
      if (asked === undefined || failed.has(asked.endorser)) break;
      const { endorser } = asked;
      const outcome = await this.#send(endorser, { ...taskOf(proposal), evaluateOnly: true });
      if (!(outcome instanceof Fault)) return unendorsedOf(outcome, asked);
      last = outcome;
      if (last.kind !== 'busy') break;
      failed.add(endorser);
    }
    return { kind: 'failed', fault: last, asked };
  }

  /** Runs the contract and has its answer endorsed as its policy demands, or as is asked for. */
  async endorse(proposal: ReadProposal, options: EndorseOptions = {}): Promise<ProposalResult> {
    const { collector, plans, policyOf } = this.#parts;
    const { organizations, attachments = [] } = options;
    const policy = organizations === undefined ? policyOf(proposal.contract) : undefined;
    let response: Response | undefined;
    let asked: Asked | undefined;
    const result = await collector.collect<UnendorsedProposal>({
      contract: proposal.contract,
      proposal,
      heightsDiffer: true,
      alternatives: (reachable) =>
        policy === undefined
          ? plans.ofOrganizations(organizations ?? [], reachable)
          : plans.ofPolicy(policy, reachable),
      ask: async ({ endorser, nodes }) => {
        asked = { endorser, nodes };
        const task = { ...taskOf(proposal), targetNodes: nodes, attachments };
        const outcome = await this.#parts.outbox.send(endorser, task);
        response = outcome.response;
        return answerOf(outcome, { endorser, nodes });
      },
    });
    if (result.kind === 'final') return result.final;
    if (result.kind === 'failed') return { ...result, asked };
    const { proposalResponsePayload, endorsements } = result;
    const payload = buildEnvelopePayload({ ...proposal, proposalResponsePayload, endorsements });
    return {
      kind: 'endorsed',
      response: response as Response,
      proposalResponsePayload,
      endorsements,
      payload,
    };
  }

  async #send(endorser: string, task: ProposalTask): Promise<ProposalOutcome | Fault> {
    try {
      return await this.#parts.outbox.send(endorser, task);
    } catch (error) {
      if (error instanceof Fault) return error;
      throw error;
    }
  }

  /** Each in turn; one that failed a task of late only when there is no other. */
  #evaluator(mspids: readonly string[], failed: ReadonlySet<string>): Asked | undefined {
    const { pool, plans } = this.#parts;
    const wanted = mspids.length === 0 ? undefined : plans.nodesOf(mspids);
    const able = pool
      .states()
      .filter(({ name, reachable }) => reachable && !failed.has(name))
      .filter(({ nodes }) => wanted === undefined || nodes.some((node) => wanted.has(node)));
    const rested = able.filter(({ isResting }) => isResting !== true);
    const candidates = rested.length > 0 ? rested : able;
    this.#turn += 1;
    const chosen = candidates[this.#turn % candidates.length];
    if (chosen === undefined) return undefined;
    const nodes = chosen.nodes.filter((node) => wanted?.has(node) ?? true);
    return { endorser: chosen.name, nodes };
  }
}

function taskOf({ signed }: ReadProposal): ProposalTask {
  const { proposalBytes: proposal, signature } = signed;
  return { ...ProposalTask.initial(), proposal, signature };
}

function answerOf(outcome: ProposalOutcome, asked: Asked): EndorserAnswer<UnendorsedProposal> {
  const { proposalResponsePayload, endorsements } = outcome;
  if (proposalResponsePayload.length === 0) {
    return { kind: 'final', final: unendorsedOf(outcome, asked) };
  }
  return { kind: 'endorsed', proposalResponsePayload, endorsements };
}

function unendorsedOf(outcome: ProposalOutcome, asked: Asked): UnendorsedProposal {
  const { response, faultCode, faultKind, faultSentence } = outcome;
  if (response !== undefined) return { kind: 'answered', response, asked };
  const reason = new Fault(faultCode, kindOf(faultKind), faultSentence, {});
  return { kind: 'refused', fault: reason, asked };
}
